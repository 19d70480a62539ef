"""Gold loss correction: what Ĉ is, what it does to the loss, and what each training is."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn import CrossEntropy, GoldLossCorrection, WholeSets, paired_dataset
from tf_mwn.engine.objective import TrainingBatch, logits_gradient
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.correction.glc import GoldCorrection, estimate_correction

rng = np.random.default_rng(0)


LOGITS = rng.normal(size=(6, 3)).astype("float32")


LABELS = np.array([0, 1, 2, 2, 1, 0])


TRUE_MATRIX = np.array([[0.7, 0.3, 0.0], [0.1, 0.6, 0.3], [0.0, 0.2, 0.8]])


def batch(sample_id=None):
    ids = None if sample_id is None else tf.constant(sample_id)
    return TrainingBatch(tf.constant(LABELS), cross_entropy, ids)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("estimate", ["soft", "confusion"])
def test_rows_of_the_estimate_are_distributions(estimate):
    matrix = estimate_correction(LABELS[:2], LOGITS[:2], estimate)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    # Class 2 has no example: its row leaves labels alone, up to the smoothing of counts.
    assert matrix[2, 2] > 0.99 and matrix.min() >= 0


def test_a_perfect_model_of_the_given_labels_gives_the_true_matrix():
    labels = np.arange(3).repeat(4)
    logits = np.log(TRUE_MATRIX[labels] + 1e-30).astype("float32")
    np.testing.assert_allclose(estimate_correction(labels, logits), TRUE_MATRIX, atol=1e-6)


def test_counts_are_smoothed():
    logits = np.eye(3, dtype="float32")[[0, 1, 1, 2]]
    matrix = estimate_correction(np.array([0, 0, 1, 2]), logits, "confusion")
    np.testing.assert_allclose(matrix[0], [0.495 + 0.01 / 3, 0.495 + 0.01 / 3, 0.01 / 3])


def test_the_identity_is_cross_entropy():
    value, _ = GoldCorrection(3).objective(tf.constant(LOGITS), batch())
    np.testing.assert_allclose(value, np.mean(cross_entropy(LABELS, LOGITS)), rtol=1e-6)


def test_a_uniform_matrix_teaches_nothing():
    """The loss is ln C whatever the prediction."""
    objective = GoldCorrection(3)
    objective.matrix.assign(np.full((3, 3), 1 / 3))
    value, _ = objective.objective(tf.constant(LOGITS), batch(range(6)))
    gradient, _ = logits_gradient(lambda z: objective.objective(z, batch(range(6))), LOGITS)
    np.testing.assert_allclose(value, np.log(3), rtol=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-7)


def test_gold_examples_are_not_corrected():
    objective = GoldCorrection(3)
    objective.matrix.assign(TRUE_MATRIX)
    value, _ = objective.objective(tf.constant(LOGITS), batch([4, -1, 2, -1, -1, 0]))
    p, gold = softmax(LOGITS), np.array([False, True, False, True, True, False])
    corrected = -np.log((p @ TRUE_MATRIX)[range(6), LABELS])
    plain = -np.log(p[range(6), LABELS])
    np.testing.assert_allclose(value, np.mean(np.where(gold, plain, corrected)), rtol=1e-6)


def linear_model(epochs=1, **options):
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = GoldLossCorrection(classifier, num_classes=3, epochs=epochs, **options)
    model.compile(keras.optimizers.SGD(0.5))
    return model


def test_a_corrected_step_is_the_numpy_reference():
    features, labels = element([(5,)])
    model = linear_model()
    model.phases.advance()
    model.training_objective.matrix.assign(TRUE_MATRIX)
    kernel, bias = model.classifier.get_weights()
    model.train_step((features, labels))
    x = np.concatenate([features["inputs"], features["meta_inputs"]])
    y = np.concatenate([labels, features["meta_labels"]])
    p = softmax(x @ kernel + bias)
    columns = np.concatenate([TRUE_MATRIX.T[labels], np.eye(3)[features["meta_labels"]]])
    posterior = p * columns / np.sum(p * columns, axis=1, keepdims=True)
    cotangent = (p - posterior) / len(y)  # of -ln Σ c_i p_i
    new_kernel, new_bias = model.classifier.get_weights()
    np.testing.assert_allclose(new_kernel, kernel - 0.5 * x.T @ cotangent, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(new_bias, bias - 0.5 * cotangent.sum(axis=0), rtol=1e-4, atol=1e-6)


def clouds(size, seed):
    """Inputs near one of three corners, true labels, and labels of which T has its exact share."""
    true = np.arange(3).repeat(size // 3)
    noise = 0.02 * np.random.default_rng(seed).normal(size=(len(true), 3))
    counts = np.rint(TRUE_MATRIX * (size // 3)).astype(int)
    given = np.concatenate([np.arange(3).repeat(row) for row in counts])
    return (2 * np.eye(3)[true] + noise).astype("float32"), true, given


def test_recovers_a_known_matrix_and_starts_the_second_training_anew():
    (x, _, given), (x_meta, y_meta, _) = clouds(900, 1), clouds(60, 2)
    inputs = keras.Input((3,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = GoldLossCorrection(classifier, num_classes=3, epochs=1)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
    model.whole_sets = WholeSets.from_arrays(x, given, x_meta, y_meta)
    initial = classifier.get_weights()
    features = {"inputs": x, "meta_inputs": x_meta, "meta_labels": y_meta}
    features["sample_id"] = np.arange(len(x))

    def epoch():
        step = tf.function(model.train_step)
        for _ in range(100):
            step(keras.tree.map_structure(tf.constant, (features, given)))

    model.begin_epoch()
    epoch()
    assert not np.allclose(classifier.get_weights()[0], initial[0])
    model.end_epoch()
    model.begin_epoch()
    np.testing.assert_allclose(model.correction_matrix, TRUE_MATRIX, atol=0.03)
    for now, before in zip(classifier.get_weights(), initial, strict=True):
        np.testing.assert_array_equal(now, before)
    assert all(not np.any(variable) for variable in model.optimizer.momentums)
    assert int(model.optimizer.iterations) == 0
    epoch()
    test, labels, _ = clouds(300, 3)
    # Not the share of the given labels but certainty: the noise is in Ĉ.
    assert np.mean(softmax(model.predict(test, verbose=0))[range(300), labels]) > 0.9


def test_the_first_training_is_plain():
    def train(build):
        keras.utils.set_random_seed(3)
        model = build(mlp())
        model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
        x, y, x_meta, y_meta = (np.asarray(a) for a in _arrays())
        model.whole_sets = WholeSets.from_arrays(x, y, x_meta, y_meta)
        stream = paired_dataset(x, y, x_meta, y_meta, batch_size=6, seed=0)
        model.fit(stream, epochs=2, verbose=0, shuffle=False)
        return model.classifier.get_weights()

    ours = train(lambda net: GoldLossCorrection(net, num_classes=3, epochs=2))
    for a, b in zip(ours, train(CrossEntropy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _arrays():
    features, labels = element([(5,)])
    return features["inputs"], labels, features["meta_inputs"], features["meta_labels"]


def test_an_unknown_estimate_is_one_sentence():
    with pytest.raises(ValueError, match="glc_estimate.*'soft'"):
        linear_model(glc_estimate="sofft")


def test_classes_without_clean_examples_are_worth_a_line(caplog):
    logits = np.float32([[2, 0, 0], [0, 2, 0]])
    matrix = estimate_correction(np.array([0, 1]), logits)
    np.testing.assert_array_equal(matrix[2], [0, 0, 1])
    assert "no clean examples of the classes 2: their labels are taken as right" in caplog.text


def test_a_logit_adjustment_holds_for_given_labels_alone():
    model = linear_model()
    adjusts = {"logit_adjustment": 1.0, "class_counts": [90, 9, 1]}
    model.compile(keras.optimizers.SGD(0.5), **adjusts)
    of_batch = model.training_batch(tf.constant(LABELS), tf.constant([4, -1, 2, -1, -1, 0]))
    z, _ = model.seen(model.adjusted(tf.constant(LOGITS)), of_batch)
    gold = np.array([False, True, False, True, True, False])[:, None]
    shift = np.log([91 / 103, 10 / 103, 2 / 103])
    np.testing.assert_allclose(z, LOGITS + np.where(gold, 0, shift), rtol=1e-6, atol=1e-6)


def test_the_second_training_begins_where_the_first_did():
    """Weights may be loaded after the model is made."""
    model = linear_model()
    model.classifier.set_weights([w + 1 for w in model.classifier.get_weights()])
    loaded = model.classifier.get_weights()
    model.begin_phase("plain_epochs")
    model.classifier.set_weights([0 * w for w in loaded])
    x, y = np.zeros((3, 5), "float32"), np.arange(3)
    model.whole_sets = WholeSets.from_arrays(x, y, x, y)
    model.begin_phase("corrected_epochs")
    for now, before in zip(model.classifier.get_weights(), loaded, strict=True):
        np.testing.assert_array_equal(now, before)
