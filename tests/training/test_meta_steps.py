"""One step of methods that learn Θ, on a linear classifier, against NumPy.

The reference knows no tape: the meta gradient is the difference quotient of the meta loss after a
virtual step, in each number of Θ.
"""

import keras
import numpy as np
import pytest

from tests.models import element
from tf_mwn import CMWNet, CMWNetSL, LossTeacher, MetaLearnedModel, MetaWeightNet

COUNTS, RATE, META_RATE = [30, 20, 10], 0.3, 2.0
STEP = 1e-5


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def losses_of(p, labels):
    return -np.log(p[np.arange(len(labels)), labels])


def weights(theta, losses, heads):
    """V(l): one hidden layer, and the head of each example."""
    kernel, bias, outputs, output_biases = theta
    hidden = np.maximum(losses[:, None] * kernel + bias, 0)
    return sigmoid(np.sum(hidden * outputs[:, heads].T, axis=1) + output_biases[heads])


def weighted(theta, p, targets):
    """∂T/∂z of the mean over examples of Σ_t share_t (v CE(y) + (1 - v) CE(z)).

    Without pseudo labels z, of the mean of Σ_t share_t v CE(y).
    """
    cotangent = np.zeros_like(p)
    for share, labels, pseudo, heads in targets:
        v = weights(theta, losses_of(p, labels), heads)[:, None]
        cotangent += share * v * (p - np.eye(3)[labels]) / len(p)
        if pseudo is not None:
            cotangent += share * (1 - v) * (p - pseudo) / len(p)
    return cotangent


def taught(theta, p, targets):
    """∂T/∂z of (1/n) Σ 4 σ(-s), s = yᵀ W ln p + b."""
    matrix, bias = theta
    ((_, labels, _, _),) = targets
    w = matrix[labels]
    s = sigmoid(np.sum(w * np.log(p), axis=1, keepdims=True) + bias)
    return 4 * s * (1 - s) * (p * w.sum(axis=1, keepdims=True) - w) / len(p)


def stepped(cotangent, classifier, theta, x, targets):
    """w - α ∇_w T(w; Θ)."""
    kernel, bias = classifier
    d = cotangent(theta, softmax(x @ kernel + bias), targets)
    return kernel - RATE * x.T @ d, bias - RATE * d.sum(axis=0)


def reference(cotangent, classifier, theta, x, targets, meta):
    """The Θ and the classifier that one whole step leaves."""

    def meta_loss(theta):
        kernel, bias = stepped(cotangent, classifier, theta, x, targets)
        return losses_of(softmax(meta[0] @ kernel + bias), meta[1]).mean()

    learned = []
    for part, values in enumerate(theta):
        slope = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            moved = [[np.array(v) for v in theta] for _ in range(2)]
            for copy, sign in zip(moved, (1, -1), strict=True):
                copy[part][index] += sign * STEP
            slope[index] = (meta_loss(moved[0]) - meta_loss(moved[1])) / (2 * STEP)
        learned.append(values - META_RATE * slope)
    return learned, stepped(cotangent, classifier, learned, x, targets)


def linear():
    inputs = keras.Input((5,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


GIVEN = {"cmw_meta_set": "given", "cmw_warmup": 0.0, "weight_net_units": (4,)}
# Name: (builder of the model, ∂T/∂z).
CASES = {
    "meta_weight_net": (lambda net: MetaWeightNet(net, weight_net_units=(4,)), weighted),
    "cmw_net": (lambda net: CMWNet(net, COUNTS, 2, **GIVEN), weighted),
    "cmw_net_sl": (lambda net: CMWNetSL(net, COUNTS, 2, cmw_mixup=0.0, **GIVEN), weighted),
    "cmw_net_sl, mixup": (lambda net: CMWNetSL(net, COUNTS, 2, cmw_mixup=1.0, **GIVEN), weighted),
    "learned_loss": (lambda net: MetaLearnedModel(net, LossTeacher(3)), taught),
}


def inputs_and_targets(model, features, labels):
    """x, and (share, labels, pseudo labels, heads) of each target, blended as the model blends."""
    cluster = getattr(model.meta_learner, "cluster_of_class", np.zeros(3, int))
    if not isinstance(model, CMWNetSL):
        labels = np.asarray(labels)
        return np.asarray(features["inputs"]), [(1.0, labels, None, cluster[labels])]
    x, batch = model.soft_batch(features, labels)
    targets = [[np.asarray(v) for v in vars(target).values()] for target in batch.targets]
    return np.asarray(x), [(*target, cluster[target[1]]) for target in targets]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", CASES)
def test_a_step_is_the_numpy_reference(name):
    build, cotangent = CASES[name]
    model = build(linear())
    model.compile(keras.optimizers.SGD(RATE), keras.optimizers.SGD(META_RATE))
    if name.startswith("cmw"):
        assert model.meta_learner.clusters == 3
    theta = model.meta_learner.get_weights()
    classifier = model.classifier.get_weights()
    features, labels = element([(5,)])
    x, targets = inputs_and_targets(model, features, labels)
    meta = np.asarray(features["meta_inputs"]), np.asarray(features["meta_labels"])
    learned, moved = reference(cotangent, classifier, theta, x, targets, meta)
    model.train_step((features, labels))
    for value, expected, before in zip(
        model.meta_learner.get_weights(), learned, theta, strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-8)
        assert np.abs(value - before).max() > 1e-5  # not trivially equal
    for value, expected in zip(model.classifier.get_weights(), moved, strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-8)
