"""CMW-Net-SL: soft labels, and batches that are blended."""

import numpy as np
import tensorflow as tf

from tests.methods.reweighting.class_aware_problem import COUNTS, X, Y, compiled
from tests.models import mlp
from tf_mwn import CMWNetSL
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.reweighting.cmw_net_sl import SoftBatch, SoftLabelNet, Target, soft_label_loss

rng = np.random.default_rng(0)


def test_trust_decides_between_label_and_pseudo_label():
    given, pseudo = tf.constant([1.0, 2.0]), tf.constant([5.0, 7.0])
    np.testing.assert_array_equal(soft_label_loss(tf.ones(2), given, pseudo), given)
    np.testing.assert_array_equal(soft_label_loss(tf.zeros(2), given, pseudo), pseudo)
    np.testing.assert_allclose(soft_label_loss(tf.fill([2], 0.25), given, pseudo), [4.0, 5.75])


def test_soft_objective_by_hand():
    net = SoftLabelNet(COUNTS)
    logits = tf.constant(rng.normal(size=(4, 3)), tf.float32)
    ours, others = tf.constant([0, 1, 2, 0]), tf.constant([2, 0, 0, 1])
    z, z_others = (tf.nn.softmax(tf.constant(rng.normal(size=(4, 3)), tf.float32)) for _ in "ab")
    targets = (Target(0.7, ours, z), Target(0.3, others, z_others))
    value, weights = net.objective(logits, SoftBatch(ours, cross_entropy, targets=targets))
    log_p = np.array(tf.nn.log_softmax(logits))
    expected = 0.0
    for share, labels, pseudo in ((0.7, ours, z), (0.3, others, z_others)):
        losses = -log_p[np.arange(4), labels]
        v = np.array(net(tf.constant(losses), labels))
        expected += share * np.mean(v * losses - (1 - v) * (np.array(pseudo) * log_p).sum(1))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    plain = net.objective(logits, TrainingBatch(ours, cross_entropy))[1]
    np.testing.assert_allclose(weights, plain, rtol=1e-6)


def test_a_blended_batch_mixes_inputs_and_targets_alike():
    model = compiled(CMWNetSL(mlp(), COUNTS, 3, cmw_mixup=1.0))
    labels = tf.constant(Y[:20])
    element = {"inputs": tf.constant(X[:20]), "sample_id": tf.range(20)}
    inputs, batch = model.soft_batch(element, labels)
    own, other = batch.targets
    share = float(own.share)
    rest = (np.array(inputs) - share * X[:20]) / (1 - share)
    rows = [int(np.argmin(np.abs(X[:20] - row).sum(1))) for row in rest]
    np.testing.assert_allclose(X[rows], rest, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(other.labels, Y[rows])
    np.testing.assert_allclose(
        own.pseudo_labels, tf.nn.softmax(model.classifier(X[:20])), rtol=1e-5
    )
    np.testing.assert_array_equal(other.pseudo_labels, np.array(own.pseudo_labels)[rows])
    plain = compiled(CMWNetSL(mlp(), COUNTS, 3, cmw_mixup=0.0))
    inputs, batch = plain.soft_batch(element, labels)
    assert inputs is element["inputs"] and [t.share for t in batch.targets] == [1.0]


def test_pseudo_labels_are_at_the_logits_that_the_objective_sees():
    """At its own prediction a trusted pseudo label has no gradient, adjusted or not."""
    model = CMWNetSL(mlp(), COUNTS, 3, cmw_mixup=0.0)
    model.compile("sgd", "sgd", logit_adjustment=1.0, class_counts=COUNTS)
    element = {"inputs": tf.constant(X[:20]), "sample_id": tf.range(20)}
    _, batch = model.soft_batch(element, tf.constant(Y[:20]))
    wanted = tf.nn.softmax(model.adjusted(model.classifier(X[:20])))
    np.testing.assert_allclose(batch.targets[0].pseudo_labels, wanted, rtol=1e-5)
