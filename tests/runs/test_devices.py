"""What cannot be shared among devices is refused by name."""

import pytest
import tensorflow as tf

from tf_mwn.runs.devices import Workers, check_part, check_shares, configure_devices
from tf_mwn.settings.config import Config


@pytest.mark.parametrize("size, refused", [(1, True), (2, False), (3, False), (8, False)])
def test_batches_of_which_a_device_gets_nothing(mirrored, size, refused):
    if refused:
        with pytest.raises(ValueError, match="batch_size: expected a share for each of 2 devices"):
            check_shares(mirrored, batch_size=size)
    else:
        check_shares(mirrored, batch_size=size)
    parts = mirrored.experimental_local_results(
        next(iter(mirrored.experimental_distribute_dataset(tf.data.Dataset.range(8).batch(size))))
    )
    assert any(len(part) == 0 for part in parts) == refused


def test_launchers_that_run_on_one_machine_say_so():
    with pytest.raises(ValueError, match="strategy: expected none or mirrored"):
        configure_devices(Config(strategy="multi_worker", deterministic=False))


def test_a_process_alone_is_the_chief(mirrored, tmp_path):
    for strategy in (tf.distribute.get_strategy(), mirrored):
        workers = Workers(strategy)
        assert workers.is_chief and workers.any(True) and not workers.any(False)
        with pytest.raises(ZeroDivisionError), workers.chief_first():
            raise ZeroDivisionError
        workers.check_same(3, tmp_path)
        assert workers.folder(tmp_path).writes


def test_a_part_of_the_batch_needs_an_example_on_each_device(mirrored):
    check_part(mirrored, 100, every=4)
    check_part(mirrored, 8, every=4)
    with pytest.raises(ValueError, match="meta_fraction: .* with 1/4, received 3 on the last one"):
        check_part(mirrored, 7, every=4)
    check_part(tf.distribute.get_strategy(), 3, every=4)  # one device always has the first
