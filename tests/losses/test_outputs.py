"""What counts of a batch whose examples have several outputs, by hand and by equal problems."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tasks import CLEAN, LENGTH, SIZE, TASKS
from tf_mwn import L2RW, Health, MetaWeightNet, WeightNet, audit, paired_dataset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.per_example import per_example_loss

L, K = keras.layers, keras.losses
SQUARES = K.MeanSquaredError()


def v_of_sigmoid(normalization="none"):
    """V(l) = 1/(1 + exp(-l)) for a loss l of at least 0."""
    net = WeightNet((1,), normalization)
    net.set_weights([np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1)])
    return net


@pytest.mark.parametrize(("normalization", "value"), [("none", 1.5530379), ("sum", 2.1052694)])
@pytest.mark.parametrize("masked", [False, True], ids=["regression", "sequence"])
def test_t_of_losses_1_0_and_4_by_hand(normalization, value, masked):
    """Σ v l = 4.6591137 and Σ v = 2.2130724; what is masked is in neither sum, nor in n."""
    labels, numbers = tf.constant([1.0, 1.0, 1.0]), tf.constant([0.0, 1.0, 3.0])
    loss = per_example_loss(SQUARES)
    if masked:
        labels = tf.constant([[1, -1, 1], [-1, -1, -1], [-1, 1, -1]])
        numbers = tf.constant([[0.0, 9, 1], [9, 9, 9], [9, 3, 9]])[..., tf.newaxis]
        loss = per_example_loss(SQUARES, "output", -1)
    found, weights = v_of_sigmoid(normalization).objective(numbers, TrainingBatch(labels, loss))
    assert float(found) == pytest.approx(value)
    np.testing.assert_allclose(weights, [0.7310586, 0.5, 0.9820138], rtol=1e-6)


def test_examples_are_means_of_their_valid_outputs():
    labels = tf.constant([[1, -1, 1], [-1, -1, -1], [-1, 1, -1]])
    numbers = tf.constant([[0.0, 9, 1], [9, 9, 9], [9, 3, 9]])[..., tf.newaxis]
    loss = per_example_loss(SQUARES, ignore_class=-1)
    np.testing.assert_allclose(loss(labels, numbers), [0.5, 4.0])
    outputs = loss.outputs(labels, numbers)
    np.testing.assert_array_equal(outputs.laid_out_examples(tf.constant([2.0, 3.0])), [2, 0, 3])
    np.testing.assert_array_equal(
        outputs.laid_out(tf.constant([2.0, 3.0, 4.0])), [[2, 0, 3], [0, 0, 0], [0, 4, 0]]
    )


def of_length_one():
    """A classifier of 3 classes, and one of sequences of length 1 with the same layers."""
    inputs = keras.Input((5,))
    logits = L.Dense(3)(L.Dense(7, activation="tanh")(inputs))
    return keras.Model(inputs, logits), keras.Model(inputs, L.Reshape((1, 3))(logits))


@pytest.mark.parametrize("kind", [MetaWeightNet, L2RW])
def test_a_sequence_of_length_1_is_plain_classification(kind):
    plain, sequence = of_length_one()
    first = plain.get_weights()
    (x, _), y = TASKS["labels"].data(), np.arange(SIZE) % 3
    element = {"inputs": x, "sample_id": np.arange(SIZE), "meta_inputs": x[:CLEAN]}

    def trained(classifier, y, **arguments):
        classifier.set_weights(first)
        keras.utils.set_random_seed(0)
        options = {"weight_normalization": "sum", "detach_loss": False}
        options = {"num_sample_ids": SIZE} if kind is L2RW else options
        model = kind(classifier, **options)
        model.compile(keras.optimizers.SGD(0.1), metrics=["accuracy"], **arguments)
        data = {**element, "meta_labels": y[:CLEAN]}, y
        logs = model.train_step(keras.tree.map_structure(tf.convert_to_tensor, data))
        return [*model.get_weights(), *map(float, logs.values())]

    expected = trained(plain, y)
    for arguments in ({}, {"weight_per": "output"}, {"weight_per": "output", "ignore_class": -1}):
        for one, other in zip(trained(sequence, y[:, None], **arguments), expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("float64")
def test_labels_of_separate_networks_are_binary_models_that_share_v():
    """T and the meta loss are means over K labels: those of the K models, over K."""
    (x, y), (x_meta, y_meta) = TASKS["labels"].data(), TASKS["labels"].data(CLEAN, 1)
    inputs = keras.Input((5,))
    logits = [L.Dense(1)(L.Dense(4, activation="tanh")(inputs)) for _ in range(3)]
    keras.utils.set_random_seed(3)

    def of(outputs, columns, **arguments):
        model = MetaWeightNet(keras.Model(inputs, outputs), (5,))
        rate = 0.6 if arguments else 0.6 / 3
        sgd = keras.optimizers.SGD
        model.compile(sgd(rate), sgd(1.0), K.BinaryCrossentropy(from_logits=True), **arguments)
        model.weight_net.set_weights(thetas or model.weight_net.get_weights())
        thetas[:] = model.weight_net.get_weights()
        element = {"inputs": x, "meta_inputs": x_meta, "meta_labels": y_meta[:, columns]}
        element = keras.tree.map_structure(tf.convert_to_tensor, element)
        batch = model.training_batch(tf.constant(y[:, columns]), None)
        linear = model.linearise(element["inputs"])
        cotangent, _ = model.logits_gradient(linear.logits, batch)
        return model.meta_gradient(linear, batch, element), linear.pullback(cotangent)

    thetas = []
    theta, weights = of(L.Concatenate()(logits), slice(0, 3), weight_per="output")
    each = [of(logits[k], slice(k, k + 1)) for k in range(3)]
    for i, found in enumerate(theta):
        assert float(tf.reduce_max(tf.abs(found))) > 1e-9
        expected = sum(gradients[i] for gradients, _ in each) / 3
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
    paths = [v.path for k in range(3) for v in keras.Model(inputs, logits[k]).trainable_variables]
    joint = keras.Model(inputs, L.Concatenate()(logits)).trainable_variables
    found = dict(zip([v.path for v in joint], weights, strict=True))
    separate = [gradient / 3 for _, gradients in each for gradient in gradients]
    for path, expected in zip(paths, separate, strict=True):
        np.testing.assert_allclose(found[path], expected, rtol=1e-9, atol=1e-14)


def fitted(task, epochs=2, callbacks=(), **options):
    (x, y), (x_meta, y_meta) = task.data(), task.data(CLEAN, 1)
    keras.utils.set_random_seed(5)
    model = MetaWeightNet(task.classifier(), (5,), **options)
    metrics = ["mae"] if task.loss is SQUARES else ["accuracy"]
    model.compile(
        keras.optimizers.SGD(0.3, momentum=0.9), "adam", metrics=metrics, **task.arguments()
    )
    # One batch, so that each epoch has the same one but for its order.
    pairs = paired_dataset(x, y, x_meta, y_meta, batch_size=SIZE)
    model.fit(pairs, epochs=epochs, verbose=0, callbacks=list(callbacks))
    return model, model.evaluate(x, y, verbose=0, return_dict=True)


@pytest.fixture(scope="module")
def tagged():
    """A sequence model, trained on one device."""
    return fitted(TASKS["sequence, each, masked"], weight_normalization="sum")


def close(one, other, rtol=1e-5, atol=1e-6):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def test_two_devices_with_other_numbers_of_valid_positions_equal_one(tagged, mirrored):
    task = TASKS["sequence, each, masked"]
    _, y = task.data()
    shares = (y != -1).reshape(2, -1).sum(axis=1)
    assert shares[0] != shares[1]
    with mirrored.scope():
        model, found = fitted(task, weight_normalization="sum")
    close(tagged[0], model)
    assert found == pytest.approx(tagged[1], rel=1e-5)


def test_masked_positions_are_in_no_metric_and_have_no_weight(tagged):
    model, found = tagged
    x, y = TASKS["sequence, each, masked"].data()
    logits, kept = model.predict(x, verbose=0), y != -1
    assert found["accuracy"] == pytest.approx((logits.argmax(-1) == y)[kept].mean())
    counts = np.arange(SIZE) % 3.0
    again = model.evaluate(x, y, sample_weight=counts, verbose=0, return_dict=True)
    losses = TASKS["sequence, each, masked"].formula(tf.constant(y), tf.constant(logits))
    counts = np.repeat(counts[:, None], LENGTH, axis=1)[kept]
    assert again["loss"] == pytest.approx((counts * losses.numpy()[kept]).mean())  # as in Keras
    weights = model.sample_weight(tf.constant(y), tf.constant(logits)).numpy()
    assert weights.shape == (SIZE, LENGTH)
    np.testing.assert_array_equal(weights > 0, kept)


def test_saved_and_loaded(tagged, tmp_path):
    model, found = tagged
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.per_example_loss.weight_per == "output"
    assert again.per_example_loss.ignore_class == -1
    x, y = TASKS["sequence, each, masked"].data()
    assert again.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(found)


class Killed(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_killed_and_resumed(tagged, tmp_path):
    task, path = TASKS["sequence, each, masked"], tmp_path / "kept.weights.h5"
    backup = keras.callbacks.BackupAndRestore(path)
    with pytest.raises(KeyboardInterrupt):
        fitted(task, callbacks=[backup, Killed()], weight_normalization="sum")
    resumed, _ = fitted(
        task, callbacks=[keras.callbacks.BackupAndRestore(path)], weight_normalization="sum"
    )
    close(tagged[0], resumed)


@pytest.mark.usefixtures("float16")
def test_float16():
    _, found = fitted(TASKS["sequence, each, masked"], weight_normalization="sum")
    assert np.isfinite(list(found.values())).all()


def test_a_regression_has_its_health_and_no_audit():
    task = TASKS["regression"]
    health = Health(*task.data(CLEAN, 1), *task.data())
    model, _ = fitted(task, callbacks=[health])
    assert "weight_spread" in model.history.history and health.checkup.planted_auc is None
    with pytest.raises(TypeError, match="y: expected integers, received float32 .* regression"):
        audit(model, *task.data())
