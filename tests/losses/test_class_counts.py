"""Class-balanced weights and LDAM against published settings and limits."""

import numpy as np
import tensorflow as tf

from tests.losses.loss_table import COUNTS, gradient, one_hot, sample
from tf_mwn.losses.class_counts import (
    LDAM,
    class_balanced_weights,
    ldam,
    ldam_margins,
)
from tf_mwn.losses.cross_entropy import cross_entropy


def test_published_setting():
    counts = [int(5000 * 0.01 ** (c / 9)) for c in range(10)]
    weights = class_balanced_weights(counts, beta=0.9999)
    expected = [0.0506, 0.0769, 0.1211, 0.1950, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927]
    np.testing.assert_allclose(weights, expected, atol=6e-5)
    np.testing.assert_allclose(np.sum(weights), 10, rtol=1e-12)


def test_limits():
    np.testing.assert_array_equal(class_balanced_weights(COUNTS, beta=0.0), np.ones(4))
    inverse = 4 / np.array(COUNTS) / np.sum(1 / np.array(COUNTS))
    for beta in (1.0, 1 - 1e-12):
        np.testing.assert_allclose(class_balanced_weights(COUNTS, beta=beta), inverse, rtol=1e-3)
    np.testing.assert_allclose(class_balanced_weights([7, 7, 7], beta=0.9), np.ones(3))


def test_the_gradient_in_beta():
    def first(beta):
        return class_balanced_weights(COUNTS, beta=beta)[0]

    for beta in (0.3, 0.99):
        h = 1e-6
        expected = (first(beta + h) - first(beta - h)) / (2 * h)
        slope = gradient(first, tf.constant(beta, tf.float64))
        np.testing.assert_allclose(slope, expected, rtol=1e-6)


def test_margins_grow_with_rarity():
    margins = ldam_margins([10000, 625, 16], max_margin=0.5)
    np.testing.assert_allclose(margins, [0.1, 0.2, 0.5], rtol=1e-12)


def test_ldam_is_cross_entropy_with_the_margin_taken_off():
    labels, logits = sample()
    margins = np.array([0.1, 0.2, 0.3, 0.4])
    shifted = 7.0 * (logits.numpy() - one_hot(labels) * margins)
    losses = ldam(labels, logits, margins=margins, scale=7.0)
    np.testing.assert_allclose(losses, cross_entropy(labels, shifted), rtol=1e-12)
    plain = ldam(labels, logits, margins=np.zeros(4), scale=1.0)
    np.testing.assert_allclose(plain, cross_entropy(labels, logits), rtol=1e-12)
    expected = ldam(labels, logits, margins=ldam_margins(COUNTS))
    np.testing.assert_allclose(LDAM(COUNTS).call(labels, logits), expected, rtol=1e-12)
