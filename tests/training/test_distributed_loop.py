"""The loop on many devices: evaluation, callbacks, and data that end too early."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn import CrossEntropy, MetaWeightNet, paired_dataset
from tf_mwn.engine.replicas import logits_of_share
from tf_mwn.training.given_data import _leaves_one_without


@pytest.mark.parametrize("size", [1, 9, 16])
def test_evaluation_counts_every_example_once(mirrored, size):
    """Also where the last batch, or the only one, has fewer examples than devices."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(size, 5)).astype("float32"), rng.integers(0, 3, size)

    def measures():
        keras.utils.set_random_seed(2)
        model = CrossEntropy(mlp())
        model.compile("sgd", metrics=["accuracy"])
        return model.evaluate(x, y, batch_size=8, verbose=0)

    one = measures()
    with mirrored.scope():
        two = measures()
    np.testing.assert_allclose(two, one, rtol=1e-5)


def test_several_steps_per_execution_are_refused(mirrored):
    with mirrored.scope():
        model = CrossEntropy(mlp())
        model.compile("sgd", steps_per_execution=2)
    data = paired_dataset(np.zeros((8, 5)), np.zeros(8, int), None, None, batch_size=2)
    with pytest.raises(ValueError, match="steps_per_execution: expected 1 on many devices"):
        model.fit(data, verbose=0)


class _Diary(keras.callbacks.Callback):
    """Writes down what it is told, and ends training in the second epoch."""

    def __init__(self):
        super().__init__()
        self.events = []

    def on_train_begin(self, logs=None):
        self.events.append(("begin", self.params["epochs"], self.params["steps"]))

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(("epoch", epoch))

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append(("step", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(("stepped", batch, sorted(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(("epoch ended", epoch, sorted(logs)))
        self.model.stop_training = epoch == 1

    def on_train_end(self, logs=None):
        self.events.append(("end", sorted(logs)))


def _fitted(**options):
    """The diary and the history of training on 20 examples in batches of 8."""
    x, y = np.random.default_rng(0).normal(size=(20, 5)).astype("float32"), np.arange(20) % 3
    keras.utils.set_random_seed(2)
    model = CrossEntropy(mlp())
    model.compile("sgd", metrics=["accuracy", keras.metrics.F1Score(average=None)])
    diary, labels = _Diary(), tf.one_hot(y, 3)
    data = tf.data.Dataset.from_tensor_slices(({"inputs": x, "sample_id": np.arange(20)}, labels))
    options = {"validation_data": (x[:9], labels[:9]), "shuffle": False, **options}
    history = model.fit(data.batch(8), verbose=0, epochs=4, callbacks=[diary], **options)
    return diary.events, history.history


def test_fit_tells_callbacks_what_keras_tells_them(mirrored):
    events, history = _fitted()
    with mirrored.scope():
        others, history_of_two = _fitted()
    assert events == others
    assert history.keys() == history_of_two.keys()
    for name in history:
        np.testing.assert_allclose(history_of_two[name], history[name], rtol=1e-5, err_msg=name)


def test_data_that_end_too_early_are_one_sentence(mirrored):
    with mirrored.scope(), pytest.raises(ValueError, match="expected data for 2 steps.*received 1"):
        _fitted(steps_per_epoch=2)


class _Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_arrays_a_backup_and_weighted_validation(mirrored, tmp_path):
    """A last batch without a row for one of the devices is left out."""
    x, y = np.random.default_rng(0).normal(size=(9, 5)).astype("float32"), np.arange(9) % 3
    backup, weights = keras.callbacks.BackupAndRestore(tmp_path / "backup"), np.arange(9.0)
    options = {"batch_size": 4, "epochs": 3, "verbose": 0, "sample_weight": weights}
    options |= {"validation_data": (x, y, weights), "validation_freq": [3]}
    with mirrored.scope():
        model = CrossEntropy(mlp())
        model.compile("sgd")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, **options, callbacks=[backup, _Kill()])
    history = model.fit(x, y, **options, callbacks=[backup])
    assert history.epoch == [1, 2] and model.optimizer.iterations.numpy() == 6
    assert len(history.history["val_loss"]) == 1
    losses = model.per_example_loss(y, model(x))
    np.testing.assert_allclose(
        history.history["val_loss"][0], (losses * weights).numpy().mean(), 1e-5
    )
    with pytest.raises(TypeError, match="expected arrays or a tf.data.Dataset .*, received gen"):
        model.fit((pair for pair in paired_dataset(x, y, None, None, 4)), verbose=0)


def small_cnn():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="tanh"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def test_a_device_without_a_row_of_the_part_that_theta_learns_from(mirrored):
    """Two of four rows are each device's; of every fourth row one has none."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6, 6, 1)).astype("float32"), rng.integers(0, 3, 20)

    def trained():
        keras.utils.set_random_seed(2)
        model = MetaWeightNet(small_cnn(), meta_fraction=0.25)
        model.compile("sgd", keras.optimizers.SGD(0.1))
        model.fit(x, y, 16, shuffle=False, x_meta=x[:8], y_meta=y[:8], verbose=0)
        return model.weight_net.get_weights()

    keras.utils.set_random_seed(2)
    before = MetaWeightNet(small_cnn()).weight_net.get_weights()
    with mirrored.scope():
        after = trained()
    assert all(np.isfinite(w).all() for w in after)
    assert any((a != b).any() for a, b in zip(after, before, strict=True))


def test_an_empty_share_changes_no_number(mirrored):
    keras.utils.set_random_seed(1)
    model = mlp()
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")

    def loss(rows):
        logits = logits_of_share(model, rows)
        return tf.shape(logits)[0], tf.reduce_sum(logits)

    @tf.function
    def both(first, second):
        def replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            return loss(first if number == 0 else second)

        return mirrored.run(replica)

    spec = tf.TensorSpec([None, 5], tf.float32)
    sizes, sums = both.get_concrete_function(spec, spec)(tf.constant(x), tf.constant(x[:0]))
    assert [int(size) for size in sizes.values] == [3, 0]
    np.testing.assert_allclose([float(s) for s in sums.values], [model(x).numpy().sum(), 0.0], 1e-5)


@pytest.mark.parametrize(("rows", "devices", "missing"), [(0, 1, True), (3, 1, False)])
def test_one_device_has_all_rows(rows, devices, missing):
    assert _leaves_one_without(rows, devices) == missing


def test_equal_shares_leave_devices_without_a_row():
    """Of 4 devices: 5 rows are shared as 2, 2, 1, 0, and 9 as 3, 3, 3, 0."""
    without = [rows for rows in range(1, 13) if _leaves_one_without(rows, 4)]
    assert without == [1, 2, 3, 5, 6, 9]
