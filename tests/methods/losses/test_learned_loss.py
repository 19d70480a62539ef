"""Learned hyper-parameters of any loss: what they learn, and what is refused."""

import doctest
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_mwn
from tests.methods.losses.learned_hyper_parameters import (
    adaptive,
    engine_gradient,
    meta_loss,
    trained_weights,
)
from tests.models import element, mlp
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.bi_tempered import BiTempered
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.focal import Focal
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.methods.losses.learned_loss import LearnedLoss
from tf_mwn.training.meta_learned import MetaLearnedModel


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
    parts = doctest.DocTestParser().get_examples(tf_mwn.MetaLearner.__doc__)
    names = {"keras": keras, "tf_mwn": tf_mwn, "classifier": mlp()}
    exec("".join(part.source for part in parts), names)  # noqa: S102
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
