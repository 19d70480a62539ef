"""The loss that is taught: draws of examples, and the state of the student."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.teachers.taught_loss import TaughtLoss

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def test_a_new_teacher_keeps_seven_of_eight():
    teacher = TaughtLoss(num_classes=10, num_sample_ids=5000)
    assert teacher.policy.hidden.kernel.shape == (25, 12)
    batch = TrainingBatch(rng.integers(0, 10, 5000), cross_entropy, np.arange(5000), tf.constant(3))
    logits = tf.constant(normal(5000, 10))
    probability = teacher.keep_probability(logits, batch)
    np.testing.assert_allclose(probability, 0.881, atol=0.015)
    kept = teacher.kept(logits, batch)
    assert set(np.unique(kept)) == {0.0, 1.0}
    np.testing.assert_allclose(np.mean(kept), np.mean(probability), atol=0.02)


def test_draws_belong_to_the_examples_and_change_with_the_step():
    teacher = TaughtLoss(num_classes=3, num_sample_ids=500, seed=1)
    logits, ids = tf.zeros([500, 3]), np.arange(500)

    def kept(order, teacher=teacher):
        batch = TrainingBatch(np.zeros(500, int), cross_entropy, order, tf.constant(0))
        return teacher.kept(logits, batch).numpy()

    np.testing.assert_array_equal(kept(ids)[::-1], kept(ids[::-1]))
    first = kept(ids)
    batch = TrainingBatch(np.zeros(500, int), cross_entropy, ids, tf.constant(0))
    teacher.observe(logits, batch)
    assert (kept(ids) != first).any()
    other = TaughtLoss(num_classes=3, num_sample_ids=500, seed=2)
    assert (kept(ids, other) != first).any()


def test_the_state_of_the_student_by_hand():
    teacher = TaughtLoss(num_classes=3, num_sample_ids=4)
    teacher.begin_training(steps=8)
    # Training loss, dev loss and dev accuracy of two steps.
    for step, (loss, dev_loss, accuracy) in enumerate([(0.9, 0.6, 0.5), (0.3, 0.7, 0.85)]):
        constant = tf.fill([1], loss)
        batch = TrainingBatch(
            np.array([0]), lambda y, z, c=constant: c, np.array([0]), tf.constant(step)
        )
        teacher.observe(tf.zeros([1, 3]), batch)
        teacher.observe_dev(dev_loss, accuracy, batch.step, threshold=0.8)
    student = teacher.features(tf.zeros([1, 3]), batch)[0, 3:6]
    np.testing.assert_allclose(student, [1 / 8, 0.6 / np.log(3), 0.6 / np.log(3)], rtol=1e-6)
    assert teacher.speed() == pytest.approx(-np.log(2 / 8))
    np.testing.assert_allclose(teacher.dev_accuracy(), 0.675, rtol=1e-6)
    teacher.begin_training(steps=8)
    assert teacher.speed() == 0.0
