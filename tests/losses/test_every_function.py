"""What holds for every per-example loss: derivatives, extremes, shapes, dtypes, compilation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import CLASSES, FUNCTIONS, numbers, one_hot, sample

every = pytest.mark.parametrize("name", FUNCTIONS)
# The least upper bound of the losses that have one, at the hyper-parameters of the table.
BOUNDS = {
    "mean_absolute_error": 2,
    "generalized": 1 / 0.6,
    "reverse": 5,
    "poly_soft": 3 * 0.7 / 1.7,
    "poly_soft, d > 2": 3 * 3 / 4,
}
EXPECTATIONS = ["cross_entropy", "generalized", "focal", "forward"]


def tensors(name, dtype="float64"):
    return {key: tf.constant(value, dtype) for key, value in FUNCTIONS[name][1].items()}


def logits_gradient(name, labels, logits, hyper_parameters):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(logits)
        losses = FUNCTIONS[name][0](labels, logits, **hyper_parameters)
    return losses, tape.gradient(losses, logits)


def all_derivatives(name, labels, logits, hyper_parameters, direction):
    """ℓ, ∂ℓ/∂z, ∂Σℓ/∂Λ and ∂<∂ℓ/∂z, direction>/∂Λ: the gradient of a gradient."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(hyper_parameters)
        losses, cotangent = logits_gradient(name, labels, logits, hyper_parameters)
        slope = tf.reduce_sum(cotangent * direction)
    zero = tf.UnconnectedGradients.ZERO
    first = tape.gradient(losses, hyper_parameters, unconnected_gradients=zero)
    mixed = tape.gradient(slope, hyper_parameters, unconnected_gradients=zero)
    return losses, cotangent, first, mixed


def finite_difference(function, x, h=1e-5):
    """Fourth-order central differences of a scalar function in every entry of x."""
    x = np.array(x, "float64")
    slope = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        far = function(x + 2 * step) - function(x - 2 * step)
        slope[i] = (8 * (function(x + step) - function(x - step)) - far) / (12 * h)
    return slope


@every
def test_the_gradient_in_the_logits_is_that_of_finite_differences(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample((3,))
    if name == "focal, detached":
        pytest.skip("not the derivative of its value; test_focal has its closed form")
    _, slope = logits_gradient(name, labels, logits, hyper_parameters)
    total = tf.function(lambda z: tf.reduce_sum(function(labels, z, **hyper_parameters)))
    expected = finite_difference(lambda z: numbers(total(tf.constant(z))), logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-7, atol=1e-9)


@every
def test_derivatives_in_the_hyper_parameters_are_those_of_finite_differences(name):
    if not (hyper_parameters := FUNCTIONS[name][1]):
        pytest.skip("no hyper-parameters")
    labels, logits = sample((5,))
    direction = sample((5,), seed=1)[1]
    _, _, first, mixed = all_derivatives(name, labels, logits, tensors(name), direction)

    @tf.function
    def routes(values):
        losses, slope = logits_gradient(name, labels, logits, values)
        return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(slope * direction)])

    for key in hyper_parameters:
        if name.endswith("= 0") or name == "bi_tempered, t = 1" and key == "t1":
            continue  # at the end of the set
        for i, derivative in enumerate((first, mixed)):

            def moved(value, key=key, i=i):
                return numbers(routes({**tensors(name), key: tf.constant(value)})[i])

            expected = finite_difference(moved, hyper_parameters[key], h=1e-4)
            np.testing.assert_allclose(derivative[key], expected, rtol=1e-7, atol=1e-8)


@every
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_everything_is_finite_at_saturated_logits(name, dtype):
    huge = [[1e4, -1e4, 0, 0], [0, 0, 0, 0], [1e4, 1e4, -1e4, 0], [30, -90, 0, 5], [1e4] * 4]
    logits = tf.constant(np.repeat(huge, CLASSES, axis=0), dtype)
    labels = np.tile(np.arange(CLASSES), len(huge))
    computed = "float64" if dtype == "float64" else "float32"
    direction = tf.cast(sample((len(labels),))[1], dtype)
    results = all_derivatives(name, labels, logits, tensors(name, computed), direction)
    assert results[0].dtype == computed
    assert results[1].dtype == dtype
    for result in tf.nest.flatten(results):
        assert np.isfinite(np.asarray(result, "float64")).all()


@every
def test_a_class_that_minus_infinity_masks_is_as_if_it_were_not_there(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample((5,))
    masked = numbers(logits).copy()
    masked[range(5), (labels + 1) % CLASSES] = -np.inf
    direction = sample((5,), seed=1)[1]
    results = all_derivatives(name, labels, tf.constant(masked), tensors(name), direction)
    for result in tf.nest.flatten(results):
        assert np.isfinite(result).all()
    if name.partition(",")[0] in ("forward", "ldam", "bi_tempered"):
        return  # have parameters of each class, or heavy tails
    rest = numbers(logits)[np.isfinite(masked)].reshape(5, CLASSES - 1)
    shifted = labels - (((labels + 1) % CLASSES) < labels)
    np.testing.assert_allclose(results[0], function(shifted, rest, **hyper_parameters), rtol=1e-12)


@pytest.mark.parametrize("name", BOUNDS)
def test_bounded_losses_stay_within_and_reach_their_bounds(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample((500,), scale=6)
    losses = numbers(function(labels, logits, **hyper_parameters))
    assert losses.min() >= 0 and losses.max() <= BOUNDS[name] * (1 + 1e-12)
    wrong = 1e4 * np.eye(CLASSES)[(labels + 1) % CLASSES]
    farthest = function(labels, wrong, **hyper_parameters)
    np.testing.assert_allclose(farthest, np.full(500, BOUNDS[name]), rtol=1e-12)


# Tensors as hyper-parameters: the variants of one function are one graph.
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if "," not in n or "detached" in n])
def test_eager_graph_and_xla_agree(name):
    labels, logits = sample((4,), "float32")
    direction = sample((4,), "float32", seed=1)[1]
    labels = tf.constant(labels)

    arguments = (labels, logits, tensors(name, "float32"))

    def first(*arguments):
        return logits_gradient(name, *arguments)

    def second(*arguments):
        return all_derivatives(name, *arguments, direction)

    for step, jit_compile in ((first, False), (second, True)):
        compiled = tf.function(step, jit_compile=jit_compile, autograph=False)
        eager, traced = tf.nest.flatten(step(*arguments)), tf.nest.flatten(compiled(*arguments))
        for expected, value in zip(eager, traced, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


@every
def test_any_leading_shape_and_every_way_to_write_a_class(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample((2, 3))
    losses = function(labels, logits, **hyper_parameters)
    assert losses.shape == (2, 3)
    for same in (labels.astype("uint8"), labels.astype("float32"), labels[..., None]):
        np.testing.assert_array_equal(function(same, logits, **hyper_parameters), losses)
    for same in (one_hot(labels), one_hot(labels).astype("int32")):
        np.testing.assert_allclose(function(same, logits, **hyper_parameters), losses, rtol=1e-12)
    flat = function(labels.reshape(-1), tf.reshape(logits, (6, CLASSES)), **hyper_parameters)
    np.testing.assert_allclose(flat, tf.reshape(losses, [-1]), rtol=1e-12)
    single = function(labels[0, 0], logits[0, 0], **hyper_parameters)
    np.testing.assert_allclose(single, losses[0, 0], rtol=1e-12)
    assert function(labels[:0], logits[:0], **hyper_parameters).shape == (0, 3)


@every
def test_half_precision_logits_are_computed_with_in_float32(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample()
    for dtype in ("float16", "bfloat16"):
        half = tf.cast(logits, dtype)
        expected = function(labels, tf.cast(half, "float32"), **hyper_parameters)
        np.testing.assert_array_equal(function(labels, half, **hyper_parameters), expected)


@every
def test_an_unknown_class_makes_its_own_loss_nan(name):
    function, hyper_parameters = FUNCTIONS[name]
    _, logits = sample((3,))
    losses = function([CLASSES, 1, -1], logits, **hyper_parameters)
    np.testing.assert_array_equal(np.isnan(losses), [True, False, True])


@every
def test_hyper_parameters_may_be_variables(name):
    function, hyper_parameters = FUNCTIONS[name]
    labels, logits = sample()
    expected = function(labels, logits, **hyper_parameters)
    for make in (tf.Variable, keras.Variable):
        variables = {k: make(np.array(v), dtype="float64") for k, v in hyper_parameters.items()}
        np.testing.assert_array_equal(function(labels, logits, **variables), expected)


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_soft_labels_give_the_expected_loss(name):
    function, hyper_parameters = FUNCTIONS[name]
    _, logits = sample()
    soft = tf.nn.softmax(sample(seed=2)[1])
    each = [function(np.full(6, c), logits, **hyper_parameters) for c in range(CLASSES)]
    expected = tf.reduce_sum(soft * tf.stack(each, axis=-1), axis=-1)
    np.testing.assert_allclose(function(soft, logits, **hyper_parameters), expected, rtol=1e-12)
