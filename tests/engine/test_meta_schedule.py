"""When a meta update takes place, and the late start."""

import keras
import numpy as np
import pytest

from tests.models import elements, mlp
from tf_mwn.engine.meta_schedule import LEARNING, WARM_UP, late_start, warm_up_lengths
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.training.cross_entropy import CrossEntropy


@pytest.mark.parametrize(
    ("start", "epochs", "expected"),
    [(0.0, 5, 0), (0.8, 100, 80), (0.8, 5, 4), (0.9, 4, 3), (0.01, 3, 1), (0.5, 1, 0), (1.0, 3, 3)],
)
def test_a_start_inside_leaves_an_epoch_on_either_side(start, epochs, expected):
    assert late_start(start, epochs) == expected
    if start < 1:
        lengths = warm_up_lengths(epochs, start)
        assert lengths.get(WARM_UP, 0) == expected and sum(lengths.values()) == epochs
        assert lengths[LEARNING] >= 1


def compiled(build):
    keras.utils.set_random_seed(2)
    model = build(mlp())
    optimizers = [keras.optimizers.SGD(0.2, momentum=0.9), keras.optimizers.SGD(0.1)]
    model.compile(*optimizers[: 1 + isinstance(model, MetaWeightNet)])
    return model


def late(classifier):
    return MetaWeightNet(classifier, weight_net_units=(5,), meta_start=0.5, epochs=2)


def test_before_a_late_start_the_training_is_plain_and_then_the_weight_net_learns(tmp_path):
    model, plain = compiled(late), compiled(CrossEntropy)
    drawn = model.weight_net.get_weights()
    stream = elements(((5,),), 3)
    for either in (model, plain):
        either.fit(stream, verbose=0)
    for a, b in zip(model.classifier.get_weights(), plain.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.weight_net.get_weights(), drawn, strict=True):
        np.testing.assert_array_equal(a, b)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for either in (model, loaded):
        logs = either.fit(stream, verbose=0).history
        assert "meta_loss" in logs and "mean_weight" in logs
        learned = either.weight_net.get_weights()
        assert max(np.abs(a - b).max() for a, b in zip(learned, drawn, strict=True)) > 1e-4
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_late_start_needs_the_number_of_epochs():
    with pytest.raises(ValueError, match="epochs: expected the number of all epochs"):
        MetaWeightNet(mlp(), meta_start=0.5)
    with pytest.raises(ValueError, match="meta_start: expected a value in"):
        MetaWeightNet(mlp(), meta_start=1.0, epochs=2)
