"""Learned hyper-parameters: their meta gradient by two other routes, bounds, limits."""

import math
import re
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_mwn
from tests.models import element, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.bi_tempered import BiTempered, bi_tempered
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.focal import Focal
from tf_mwn.losses.generalized import GeneralizedCrossEntropy, generalized_cross_entropy
from tf_mwn.losses.poly_soft import PolySoft, poly_soft
from tf_mwn.losses.symmetric import symmetric_cross_entropy
from tf_mwn.methods.losses import adaptive_losses, robust_losses
from tf_mwn.methods.losses.learned_loss import LearnedLoss
from tf_mwn.training.meta_learned import MetaLearnedModel

# Name: (options at an inner point, the loss, its learned hyper-parameters and their bounds).
CASES = {
    "gce": ({"gce_q": 0.6}, generalized_cross_entropy, {"q": (0.01, 1)}),
    "sce": (
        {"sce_alpha": 0.3, "sce_beta": 0.8},
        symmetric_cross_entropy,
        {"alpha": (0, 20), "beta": (0, 20)},
    ),
    "bi_tempered": (
        {"bi_tempered_t1": 0.7, "bi_tempered_t2": 1.3},
        bi_tempered,
        {"t1": (0, 0.99), "t2": (1.01, 4)},
    ),
    "poly_soft": (
        {"poly_soft_lambda": 3.0, "poly_soft_d": 2.5},
        poly_soft,
        {"lambda_": (math.log(3), 20), "d": (1.01, 20)},
    ),
}
every = pytest.mark.parametrize("name", CASES)


def adaptive(name, rate=0.3, meta_rate=1.0, **options):
    builder = getattr(adaptive_losses, f"adaptive_{name}")
    facts = {"num_classes": 3} if name == "poly_soft" else {}
    model = builder(mlp(), **facts, **{**CASES[name][0], **options})
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(meta_rate))
    return model


def engine_gradient(model, features, labels):
    linear = Linearisation(model.classifier, features["inputs"])
    batch = model.training_batch(labels, features["sample_id"])
    return model.meta_gradient(linear, batch, features)


def meta_loss(model, function, values, features, labels):
    """L_meta(w - α ∇_w mean ℓ(·; Λ)), by stateless calls and a tape."""
    weights = [tf.convert_to_tensor(w) for w in model.classifier.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, _ = model.classifier.stateless_call(weights, [], features["inputs"])
        value = tf.reduce_mean(function(labels, logits, **values))
    rate = float(model.optimizer.learning_rate)
    virtual = [w - rate * g for w, g in zip(weights, tape.gradient(value, weights), strict=True)]
    logits, _ = model.classifier.stateless_call(virtual, [], features["meta_inputs"])
    return tf.reduce_mean(cross_entropy(features["meta_labels"], logits))


@every
@pytest.mark.usefixtures("float64")
def test_the_meta_gradient_is_that_of_tape_of_tape_and_of_finite_differences(name):
    _, function, bounds = CASES[name]
    model = adaptive(name)
    features, labels = element([(5,)])
    theta = model.meta_learner.trainable_variables
    assert [v.name for v in theta] == list(bounds)
    gradient = engine_gradient(model, features, labels)

    values = {v.name: tf.convert_to_tensor(v) for v in theta}
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = meta_loss(model, function, values, features, labels)
    expected = tape.gradient(value, values)
    for variable, g in zip(theta, gradient, strict=True):
        assert abs(float(g)) > 1e-8  # not trivially equal
        np.testing.assert_allclose(g, expected[variable.name], rtol=1e-8)

        def moved(step, name=variable.name):
            there = {**values, name: values[name] + step}
            return float(meta_loss(model, function, there, features, labels))

        difference = (moved(1e-5) - moved(-1e-5)) / 2e-5
        np.testing.assert_allclose(g, difference, rtol=1e-5, atol=1e-10)


def trained_weights(model, steps=20):
    model.run_eagerly = False
    features, labels = element([(5,)], size=12)
    dataset = tf.data.Dataset.from_tensors((features, labels)).repeat(steps)
    model.fit(dataset, verbose=0)
    return model.classifier.get_weights()


def difference_to_the_fixed_loss(name):
    keras.utils.set_random_seed(1)
    learned = adaptive(name, meta_rate=0.0)
    keras.utils.set_random_seed(1)
    fixed = getattr(robust_losses, name)(mlp(), **CASES[name][0])
    fixed.compile(keras.optimizers.SGD(0.3))
    pairs = zip(trained_weights(learned), trained_weights(fixed), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


@every
def test_a_meta_rate_of_zero_is_the_fixed_loss(name):
    assert difference_to_the_fixed_loss(name) <= 1e-6


@every
@pytest.mark.usefixtures("float64")
def test_a_meta_rate_of_zero_is_the_fixed_loss_in_double_precision(name):
    assert difference_to_the_fixed_loss(name) <= 1e-12


@every
def test_bounds_hold_in_training(name):
    """One huge step of Θ in either direction: every hyper-parameter stops at one of its ends."""
    features, labels = element([(5,)], size=12)
    ends = []
    for rate in (1e9, -1e9):
        keras.utils.set_random_seed(1)
        model = adaptive(name, meta_rate=0.0)
        model.meta_optimizer.learning_rate = rate
        model.train_step((features, labels))
        ends.append([float(v) for v in model.meta_learner.trainable_variables])
        assert np.isfinite(engine_gradient(model, features, labels)).all(), "also at the bounds"
        assert np.isfinite(model.classifier.get_weights()[0]).all()
    expected = list(CASES[name][2].values())
    np.testing.assert_allclose(np.sort(ends, axis=0).T, expected, rtol=1e-6)


@every
def test_gradients_are_finite_where_every_loss_is_far_beyond(name):
    """Losses of a million: beyond λ, and p_y = 0 in every precision."""
    model = adaptive(name)
    features, labels = element([(5,)])
    *_, kernel, bias = model.classifier.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    bias.assign([1e6, -1e6, -1e6])
    labels = tf.ones_like(labels)
    gradient = engine_gradient(model, features, labels)
    assert np.isfinite(gradient).all()
    if name == "poly_soft":
        np.testing.assert_array_equal(gradient, np.zeros(2))


def test_a_frozen_d_of_two_learns_the_age_of_linear_weighting():
    """Θ = λ alone: its meta gradient is that of weights (1 - l/λ)_+."""
    model = MetaLearnedModel(mlp(), LearnedLoss(PolySoft(3.0, 2.0), {"lambda_": (1.1, 20)}))
    model.compile(keras.optimizers.SGD(0.3), keras.optimizers.SGD(1.0))
    features, labels = element([(5,)])
    (gradient,) = engine_gradient(model, features, labels)
    lambda_ = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(lambda_)

        def weighted(labels, logits, lambda_):
            losses = cross_entropy(labels, logits)
            return tf.stop_gradient(losses * 0) + _linear(losses, lambda_) * losses

        value = meta_loss(model, weighted, {"lambda_": lambda_}, features, labels)
    np.testing.assert_allclose(gradient, tape.gradient(value, lambda_), rtol=1e-4)


def _linear(losses, lambda_):
    """(1 - l/λ)_+ with l constant for the gradient in the logits, and λ not."""
    return tf.nn.relu(1 - tf.stop_gradient(losses) / lambda_)


def test_any_hyper_parameter_of_a_loss_can_be_learned():
    """Label smoothing and the focal γ, in a line each."""
    features, labels = element([(5,)])
    for learned in (
        LearnedLoss(BiTempered(1.0, 1.0, label_smoothing=0.1), {"label_smoothing": (0, 0.9)}),
        LearnedLoss(Focal(2.0), {"gamma": (0, 5)}),
    ):
        model = MetaLearnedModel(mlp(), learned)
        model.compile(keras.optimizers.SGD(0.3), keras.optimizers.SGD(1e-3))
        (before,) = (float(v) for v in learned.scalars().values())
        trained_weights(model, steps=3)
        (after,) = (float(v) for v in learned.scalars().values())
        assert after != before and np.isfinite(after)


@pytest.mark.usefixtures("float64")
def test_the_documented_example_learns_a_temperature(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", tf_mwn.MetaLearner.__doc__, re.S)
    names = {"keras": keras, "tf": tf, "tf_mwn": tf_mwn, "classifier": mlp()}
    exec(textwrap.dedent(example), names)  # noqa: S102
    model = names["model"]
    model.compile(keras.optimizers.SGD(0.3), keras.optimizers.SGD(1e-2))
    features, labels = element([(5,)])
    (gradient,) = engine_gradient(model, features, labels)

    def tempered(labels, logits, temperature):
        return cross_entropy(labels, logits / temperature)

    temperature = tf.constant(1.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(temperature)
        value = meta_loss(model, tempered, {"temperature": temperature}, features, labels)
    np.testing.assert_allclose(gradient, tape.gradient(value, temperature), rtol=1e-8)
    trained_weights(model)
    learned = float(model.meta_learner.scalars()["temperature"])
    assert learned != 1.0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.meta_learner.scalars()["temperature"]) == learned
    model.meta_learner.temperature.assign(-1.0)
    model.meta_learner.project()
    assert float(model.meta_learner.scalars()["temperature"]) == pytest.approx(0.1)


def test_scalars_and_configuration():
    learned = LearnedLoss(PolySoft(3.0, 2.0), {"lambda_": (1.1, 20)})
    assert list(learned.scalars()) == ["lambda"]
    again = LearnedLoss.from_config(learned.get_config())
    assert again.get_config() == learned.get_config()
    logits = tf.constant([[0.3, 1.0, -0.2]])
    batch = TrainingBatch(tf.constant([0]), cross_entropy)
    np.testing.assert_array_equal(
        again.objective(logits, batch)[0], learned.objective(logits, batch)[0]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adaptive("gce", gce_q=0.001), r"q: expected a value in \[0.01, 1\], received"),
        (lambda: adaptive("gce", gce_q=1.5), r"q: expected a value in \(0, 1\]"),
        (lambda: adaptive("sce", sce_beta=21.0), r"beta: expected a value in \[0, 20\]"),
        (lambda: adaptive("bi_tempered", bi_tempered_t1=1.0), r"t1: .* \[0, 0.99\]"),
        (lambda: adaptive("bi_tempered", bi_tempered_t2=1.0), r"t2: .* \[1.01, 4\]"),
        (lambda: adaptive("poly_soft", poly_soft_lambda=1.0), r"lambda_: .* \[1.09861, 20\]"),
        (lambda: adaptive("poly_soft", poly_soft_d=1.0), r"d: expected a value in \(1, inf\)"),
        (lambda: LearnedLoss(Focal(), {"q": (0, 1)}), "bounds: expected some of gamma"),
        (lambda: LearnedLoss(Focal(), {}), "received none"),
        (lambda: LearnedLoss(Focal(), {"gamma": (-1, 5)}), r"bounds of gamma: .* \[0, inf\)"),
        (
            lambda: LearnedLoss(GeneralizedCrossEntropy(), {"q": (0.1, math.inf)}),
            r"bounds of q: expected a value in \(0, 1\], received 1.79",
        ),
        (
            lambda: LearnedLoss(BiTempered(0.5, 0.8), {"t1": (0, 0.9), "t2": (0.6, 4)}),
            r"bounds of t2: expected a value in \[0.9, inf\), received 0.6",
        ),
    ],
)
def test_values_outside_their_set_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_bound_may_be_infinite():
    learned = LearnedLoss(Focal(2.0), {"gamma": (0, math.inf)})
    learned.trainable_variables[0].assign(1e6)
    learned.project()
    assert float(learned.scalars()["gamma"]) == 1e6
    assert LearnedLoss.from_config(learned.get_config()).get_config() == learned.get_config()


def test_other_losses_are_refused():
    with pytest.raises(TypeError, match="loss: expected a loss of tf_mwn.losses"):
        LearnedLoss(keras.losses.MeanSquaredError(), {"q": (0, 1)})
    with pytest.raises(TypeError, match="num_iterations: expected an integer"):
        LearnedLoss(BiTempered(), {"num_iterations": (5, 20)})
