"""Models whose losses learn their hyper-parameters, and routes to their meta gradient."""

import math

import keras
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.losses.bi_tempered import bi_tempered
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import generalized_cross_entropy
from tf_mwn.losses.poly_soft import poly_soft
from tf_mwn.losses.symmetric import symmetric_cross_entropy
from tf_mwn.methods.losses import adaptive_losses

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


def trained_weights(model, steps=20):
    model.run_eagerly = False
    features, labels = element([(5,)], size=12)
    dataset = tf.data.Dataset.from_tensors((features, labels)).repeat(steps)
    model.fit(dataset, verbose=0)
    return model.classifier.get_weights()
