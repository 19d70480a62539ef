"""The S-Model: the channel's identities, its start, and the joint step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import batch, element, mlp, subclassed
from tf_mwn import ComplexSModel, CoupledSGD, CrossEntropy, SModel, WholeSets, paired_dataset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.correction.s_model import Channel, FeatureChannel
from tf_mwn.methods.correction.specs import s_model_lengths

rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(6, 3)).astype("float32")
FEATURES = rng.normal(size=(6, 4)).astype("float32")
BATCH = TrainingBatch(tf.constant([0, 1, 2, 2, 1, 0]), cross_entropy)
MATRIX = np.array([[0.7, 0.3, 0.0], [0.1, 0.6, 0.3], [0.0, 0.2, 0.8]])
BIASES = rng.normal(size=(3, 3)).astype("float32")


def channel(biases=BIASES, kernel=None):
    made = Channel(3) if kernel is None else FeatureChannel(3, 4)
    made.start.assign(biases)
    if kernel is not None:
        made.kernel.assign(kernel)
    return made


def value(channel, logits=LOGITS):
    if isinstance(channel, FeatureChannel):
        logits = np.concatenate([logits, FEATURES], axis=1)
    return channel.objective(tf.constant(logits), BATCH)[0]


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("made", [Channel(3), FeatureChannel(3, 4)])
def test_starts_as_cross_entropy_and_stays_there(made):
    """b = 10³ I: the loss is that of the classifier, and no gradient reaches the channel."""
    with tf.GradientTape() as tape:
        loss = value(made)
    np.testing.assert_allclose(loss, np.mean(cross_entropy(BATCH.labels, LOGITS)), rtol=1e-6)
    for gradient in tape.gradient(loss, made.trainable_variables):
        np.testing.assert_array_equal(gradient, 0)


def test_rows_sum_to_one():
    np.testing.assert_allclose(tf.reduce_sum(channel().transition_matrix(), axis=1), 1, rtol=1e-6)
    kernel = rng.normal(size=(4, 9))
    rows = tf.exp(channel(kernel=kernel).log_transition(tf.constant(FEATURES)))
    np.testing.assert_allclose(tf.reduce_sum(rows, axis=2), 1, rtol=1e-6)


def test_by_hand():
    p, matrix = softmax(LOGITS), softmax(BIASES)
    expected = -np.mean(np.log((p @ matrix)[range(6), BATCH.labels]))
    np.testing.assert_allclose(value(channel()), expected, rtol=1e-6)


def test_permuting_channel_and_prediction_together_changes_nothing():
    """Why the start decides what the classifier's outputs mean."""
    order = [2, 0, 1]
    np.testing.assert_allclose(
        value(channel(BIASES[order]), LOGITS[:, order]), value(channel()), rtol=1e-6
    )


def test_complex_without_slopes_is_simple():
    np.testing.assert_allclose(value(channel(kernel=np.zeros((4, 9)))), value(channel()), rtol=1e-6)


def test_slopes_by_hand():
    """T_ij(x) = softmax over j of u_ij·h(x) + b_ij, one example at a time."""
    kernel = rng.normal(size=(4, 9)).astype("float32")
    losses = []
    for z, h, y in zip(LOGITS, FEATURES, BATCH.labels, strict=True):
        matrix = softmax((h @ kernel).reshape(3, 3) + BIASES)
        losses.append(-np.log((softmax(z) @ matrix)[y]))
    np.testing.assert_allclose(value(channel(kernel=kernel)), np.mean(losses), rtol=1e-5)


def test_begins_at_a_matrix_with_zeros():
    made = Channel(3)
    made.deviation.assign(np.ones((3, 3)))
    made.begin_at(MATRIX)
    np.testing.assert_allclose(made.transition_matrix(), MATRIX, atol=1e-6)
    assert np.isfinite(made.biases).all()


def linear(build=SModel, **options):
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = build(classifier, num_classes=3, epochs=1, **options)
    model.compile(keras.optimizers.SGD(0.5))
    return model


def test_a_step_is_the_numpy_reference():
    """With posterior q_i ∝ p_i T_iy: ∂/∂z = p - q, ∂/∂b_ij = q_i (T_ij - 1(j = y))."""
    features, labels = element([(5,)])
    model = linear()
    model.channel.start.assign(BIASES)
    kernel, bias = model.classifier.get_weights()
    model.train_step((features, labels))
    x, n = np.asarray(features["inputs"]), len(labels)
    p, matrix = softmax(x @ kernel + bias), softmax(BIASES)
    q = p * matrix.T[labels]
    q /= q.sum(axis=1, keepdims=True)
    new_kernel, new_bias = model.classifier.get_weights()
    np.testing.assert_allclose(new_kernel, kernel - 0.5 * x.T @ (p - q) / n, atol=1e-6)
    np.testing.assert_allclose(new_bias, bias - 0.5 * np.mean(p - q, axis=0), atol=1e-6)
    slope = np.einsum("ni,nij->ij", q, matrix[np.newaxis] - np.eye(3)[labels][:, np.newaxis]) / n
    np.testing.assert_allclose(model.channel.deviation, -0.5 * slope, atol=1e-6)


def test_a_complex_step_moves_the_slopes_by_the_features():
    """The last layer's input is h; ∂/∂u = h ⊗ ∂/∂b, and the classifier's step is the simple one."""
    features, labels = element([(5,)])
    simple, complex_ = linear(), linear(ComplexSModel)
    complex_.classifier.set_weights(simple.classifier.get_weights())
    for model in (simple, complex_):
        model.channel.start.assign(BIASES)
    kernel, bias = simple.classifier.get_weights()
    for model in (simple, complex_):
        model.train_step((features, labels))
    for a, b in zip(simple.classifier.weights, complex_.classifier.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    np.testing.assert_allclose(simple.channel.deviation, complex_.channel.deviation, atol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(slopes := tf.zeros((len(labels), 3, 3)))
        p = tf.nn.softmax(features["inputs"] @ kernel + bias)
        given = tf.einsum("ni,nij->nj", p, tf.nn.softmax(slopes + BIASES))
        loss = tf.reduce_mean(cross_entropy(labels, tf.math.log(given)))
    per_example = tf.reshape(tape.gradient(loss, slopes), (-1, 9))
    expected = -0.5 * tf.transpose(features["inputs"]) @ per_example
    np.testing.assert_allclose(complex_.channel.kernel, expected, atol=1e-5)


def clouds(size=900, seed=1):
    """Three corners, far out, and given labels of which T has its exact share in each.

    Far out: p and T share the noise out between them as fast as each learns, and only T's
    product with p is decided by the data. A classifier that learns much faster leaves T where it
    was.
    """
    true = np.arange(3).repeat(size // 3)
    noise = np.random.default_rng(seed).normal(size=(len(true), 3))
    counts = np.rint(MATRIX * (size // 3)).astype(int)
    given = np.concatenate([np.arange(3).repeat(row) for row in counts])
    return (20 * np.eye(3)[true] + noise).astype("float32"), true, given


def fitted(build, x, given):
    """300 steps of plain training, 300 with the channel, on the whole set."""
    inputs = keras.Input((3,))
    model = build(keras.Model(inputs, keras.layers.Dense(3)(inputs)), num_classes=3, epochs=1)
    model.compile(keras.optimizers.SGD(0.005, momentum=0.9))
    model.whole_sets = WholeSets.from_arrays(x, given)
    features = {"inputs": tf.constant(x), "sample_id": tf.range(len(x))}
    for _ in range(2):
        model.begin_epoch()
        step = tf.function(model.train_step)
        for _ in range(300):
            step((features, tf.constant(given)))
        model.end_epoch()
    return model


def test_recovers_a_known_matrix():
    x, true, given = clouds()
    model = fitted(SModel, x, given)
    np.testing.assert_allclose(model.channel.transition_matrix(), MATRIX, atol=0.03)
    # Not the share of the given labels but certainty: the noise is in T.
    p = softmax(model.predict(x, verbose=0))
    assert np.mean(p[range(len(true)), true]) > 0.9


def test_the_complex_model_explains_the_given_labels():
    """T(x) learns as fast as p here: only their product is decided."""
    x, true, given = clouds()
    model = fitted(ComplexSModel, x, given)
    assert np.any(model.channel.kernel)
    logits = model.classifier(x)
    joint = tf.nn.softmax(logits)[:, :, np.newaxis] * tf.exp(model.channel.log_transition(x))
    means = [np.mean(np.sum(joint, axis=1)[true == i], axis=0) for i in range(3)]
    np.testing.assert_allclose(means, MATRIX, atol=0.03)


def trained(build, **options):
    """Two epochs of a model with `options`."""
    keras.utils.set_random_seed(3)
    x, y = batch([(5,)], 24, 1)
    model = build(mlp(), **options)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
    model.whole_sets = WholeSets.from_arrays(x, y)
    stream = paired_dataset(x, y, x[:6], y[:6], batch_size=6, seed=0)
    model.fit(stream, epochs=2, verbose=0, shuffle=False)
    return model


@pytest.mark.parametrize("build", [SModel, ComplexSModel])
def test_pre_training_is_plain_training(build):
    ours = trained(build, num_classes=3, epochs=20)
    assert ours.phases.current == "channel_epochs"
    plain = trained(CrossEntropy)
    for a, b in zip(ours.classifier.weights, plain.classifier.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert all(not np.any(v) for v in ours.channel.trainable_variables)


def test_starts_from_counts_of_predicted_and_given_labels():
    x, y = batch([(5,)], 24, 1)
    model = trained(SModel, num_classes=3, epochs=20)
    model.begin_epoch()
    predicted = model.predict(x, verbose=0).argmax(axis=1)
    counts = np.zeros((3, 3))
    np.add.at(counts, (predicted, y), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.channel.transition_matrix(), shares, atol=1e-6)


def test_starts_from_a_noise_rate():
    model = linear(s_model_noise_rate=0.4)
    expected = [[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6]]
    np.testing.assert_allclose(model.channel.transition_matrix(), expected, rtol=1e-5)
    assert model.num_epochs is None and not model.needs_whole_sets


def test_weight_decay_draws_the_channel_to_its_start():
    model = linear(s_model_noise_rate=0.4)
    model.compile(CoupledSGD(0.5, coupled_weight_decay=1.0))
    features, labels = element([(5,)])
    kept = []
    for deviation in (0.0, 1.0):
        model.channel.deviation.assign(np.full((3, 3), deviation))
        model.classifier.set_weights([np.zeros((5, 3)), np.zeros(3)])
        model.train_step((features, labels))
        kept.append(model.channel.deviation.numpy())
    # A constant added to a row leaves T as it is: what differs is the decay, 1 - 0.5·1.
    np.testing.assert_allclose(kept[1] - kept[0], 0.5, atol=1e-5)


def test_mistakes_are_one_sentence():
    with pytest.raises(ValueError, match=r"s_model_noise_rate: expected a value in \(0, 1\)"):
        linear(s_model_noise_rate=1.0)
    with pytest.raises(ValueError, match="classifier: expected a functional or Sequential"):
        ComplexSModel(subclassed(), num_classes=3, epochs=2)


def test_the_phases_have_the_epochs_of_the_run():
    assert s_model_lengths(60, 1.0) == {"plain_epochs": 59, "channel_epochs": 1}
    assert s_model_lengths(60, 0.0) == {"plain_epochs": 1, "channel_epochs": 59}
    assert s_model_lengths(1, 0.5) == {"plain_epochs": 1, "channel_epochs": 1}
