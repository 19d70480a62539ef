"""The bi-tempered loss against published vectors, closed forms and implicit derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, one_hot, sample
from tf_mwn.losses.bi_tempered import bi_tempered, tempered_normalizer, tempered_softmax
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import generalized_cross_entropy

SOFT = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.2, 0.8, 0.0]])
LOGITS = np.array([[-0.5, 0.1, 2.0], [0.1, 1.5, -5.0], [4.0, -3.0, -6.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "labels, options, expected",
    [
        (SOFT, {"t1": 0.5, "t2": 1.5}, [0.02301914, 0.18972909, 0.93874922]),
        (SOFT, {"t1": 0.5, "t2": 0.8}, [0.21646356, 0.41836615, 1.33997854]),
        (
            [0, 1, 2],
            {"t1": 0.5, "t2": 1.5, "label_smoothing": 0.1},
            [0.76652711, 0.08627685, 1.35443510],
        ),
    ],
)
def test_published_vectors(labels, options, expected, dtype):
    labels = np.asarray(labels, dtype) if np.ndim(labels) > 1 else labels
    losses = bi_tempered(labels, LOGITS.astype(dtype), **options)
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-6)


def test_published_tempered_softmax():
    p = tempered_softmax(LOGITS[:1], 4.0)
    np.testing.assert_allclose(p, [[0.3205458, 0.3271428, 0.3523402]], atol=2e-5)


@pytest.mark.parametrize("t1, t2, expected", [(0.8, 1.2, 1.5376777), (0.5, 2.0, 0.9116963)])
def test_uniform_logits_of_ten_classes(t1, t2, expected):
    losses = bi_tempered([3], np.zeros((1, 10)), t1=t1, t2=t2)
    np.testing.assert_allclose(losses, [expected], rtol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.5, 0.999999, 1.0, 1.000001, 1.2, 2.0, 4.0])
@pytest.mark.parametrize("scale", [0.1, 3.0, 1e4])
def test_probabilities_sum_to_one(t, scale):
    logits = np.random.default_rng(0).normal(size=(50, 100)) * scale
    sums = tf.reduce_sum(tempered_softmax(logits, t), axis=-1)
    np.testing.assert_allclose(sums, np.ones(50), atol=1e-12)
    single = tf.reduce_sum(tempered_softmax(logits.astype("float32"), t), axis=-1)
    np.testing.assert_allclose(single, np.ones(50), atol=1e-5)


def test_temperatures_below_one_give_exact_zeros():
    assert tempered_softmax(LOGITS, 0.5).numpy()[2, 2] == 0


def test_temperatures_of_one_are_cross_entropy_less_the_entropy_of_the_label():
    labels, logits = sample()
    losses = bi_tempered(labels, logits, t1=1.0, t2=1.0)
    np.testing.assert_allclose(losses, cross_entropy(labels, logits), rtol=1e-10)
    soft, z = np.array([[0.2, 0.5, 0.3]]), LOGITS[:1]
    divergence = cross_entropy(soft, z) + np.sum(soft * np.log(soft))
    for t in (1.0, 1 - 1e-8):
        losses = bi_tempered(soft, z, t1=t, t2=2 - t)
        np.testing.assert_allclose(losses, divergence, rtol=1e-7)
    np.testing.assert_allclose(divergence, [0.6287], rtol=1e-4)


def test_t2_of_one_is_the_generalised_cross_entropy_less_a_term():
    logits, t1 = np.array([[1.0, 0.0, -1.0]]), 0.3
    powers = tf.reduce_sum(tf.nn.softmax(logits) ** (2 - t1), axis=-1)
    expected = generalized_cross_entropy([0], logits, q=1 - t1) - (1 - powers) / (2 - t1)
    losses = bi_tempered([0], logits, t1=t1, t2=1.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    np.testing.assert_allclose(losses, [0.1241197], rtol=1e-6)


def test_a_constant_added_to_all_logits_changes_nothing():
    labels, logits = sample()
    losses = bi_tempered(labels, logits + 100.0, t1=0.5, t2=1.5)
    np.testing.assert_allclose(losses, bi_tempered(labels, logits, t1=0.5, t2=1.5), rtol=1e-9)


def test_the_loss_is_bounded_and_zero_at_its_own_prediction():
    labels = np.arange(4)
    wrong = (1 - np.eye(4)) * 1e4
    losses = bi_tempered(labels, wrong, t1=0.8, t2=1.2).numpy()
    assert (losses > 4).all() and (losses <= 5 + 1e-9).all()
    p = tempered_softmax(LOGITS, 1.5)
    np.testing.assert_allclose(bi_tempered(p, LOGITS, t1=0.5, t2=1.5), np.zeros(3), atol=1e-14)


@pytest.mark.parametrize("t1, t2", [(0.5, 1.5), (0.8, 1.2), (1.0, 1.0), (0.5, 0.8), (0.0, 4.0)])
def test_the_gradient_is_the_published_closed_form(t1, t2):
    labels, logits = sample()
    p = tempered_softmax(logits, t2).numpy()
    delta, escort = p - one_hot(labels), p**t2 / np.sum(p**t2, axis=-1, keepdims=True)
    pull = delta * p ** (t2 - t1)
    expected = pull - escort * pull.sum(-1, keepdims=True)
    slope = gradient(lambda z: bi_tempered(labels, z, t1=t1, t2=t2), logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-12)


def test_the_normaliser_has_the_implicit_derivatives():
    z, t = tf.constant([-0.5, 0.1, 2.0], tf.float64), tf.constant(1.5, tf.float64)
    by_z = gradient(lambda z: tempered_normalizer(z, t), z)
    np.testing.assert_allclose(by_z, [0.09598, 0.14073, 0.76329], atol=1e-5)
    by_t = gradient(lambda t: tempered_normalizer(z, t), t)
    np.testing.assert_allclose(by_t, 0.700198, rtol=1e-6)
    at_one = tempered_normalizer(z, 1.0)
    np.testing.assert_allclose(at_one, [np.log(np.sum(np.exp(z)))], rtol=1e-12)


def test_derivatives_do_not_depend_on_the_number_of_iterations_once_it_converged():
    labels, logits = sample()

    def mixed(iterations):
        t2 = tf.constant(1.4, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(t2)
            slope = gradient(
                lambda z: bi_tempered(labels, z, t1=0.6, t2=t2, num_iterations=iterations), logits
            )
        return tape.jacobian(slope, t2)

    np.testing.assert_allclose(mixed(8), mixed(40), rtol=1e-12)


def test_mixed_derivatives_in_either_order_and_third_derivatives():
    labels, logits = sample((3,))

    def third(t2):
        with tf.GradientTape() as outer:
            outer.watch(t2)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch([t2, logits])
                with tf.GradientTape() as inner:
                    inner.watch([t2, logits])
                    losses = bi_tempered(labels, logits, t1=0.6, t2=t2)
                by_t, by_z = inner.gradient(losses, [t2, logits])
                slope = tf.reduce_sum(by_z[:, 0])
            one, other = tape.gradient(by_t, logits)[:, 0], tape.gradient(slope, t2)
        return tf.reduce_sum(one), other, outer.gradient(other, t2)

    one, other, outer = third(tf.constant(1.4, tf.float64))
    np.testing.assert_allclose(one, other, rtol=1e-10)
    h = 1e-4
    moved = [third(tf.constant(1.4 + s * h, tf.float64))[1] for s in (-1, 1)]
    np.testing.assert_allclose(outer, (moved[1] - moved[0]) / (2 * h), rtol=1e-5)


def test_replicas(mirrored):
    labels, logits = sample((4,), "float32")

    @tf.function
    def step():
        return mirrored.run(lambda: gradient(lambda z: bi_tempered(labels, z), logits))

    expected = gradient(lambda z: bi_tempered(labels, z), logits)
    for value in mirrored.experimental_local_results(step()):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
