"""Labels and logits that do not fit are refused; class numbers survive their dtype."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution


@pytest.mark.parametrize(
    "labels, logits", [((4,), (3, 5)), ((3, 4), (3, 5)), ((3, 1, 1), (3, 5)), ((), (3, 5))]
)
def test_labels_of_another_shape_are_refused(labels, logits):
    with pytest.raises(ValueError, match="labels: expected class numbers of shape"):
        cross_entropy(np.zeros(labels, "int32"), np.zeros(logits, "float32"))


def test_logits_need_a_known_number_of_classes():
    with pytest.raises(ValueError, match="logits: expected shape"):
        as_logits(1.0)

    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def unknown(logits):
        return as_logits(logits)

    with pytest.raises(ValueError, match="with known C"):
        unknown(np.zeros((2, 3), "float32"))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_an_unknown_number_of_columns_is_compared_when_it_is_known(jit_compile):
    signature = [tf.TensorSpec([2, None]), tf.TensorSpec([2, 3])]
    losses = tf.function(cross_entropy, input_signature=signature, jit_compile=jit_compile)
    logits = np.log([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]).astype("float32")
    np.testing.assert_allclose(losses(np.eye(3)[:2], logits), np.log([2, 4]), rtol=1e-6)
    text = (
        None if jit_compile else "labels: expected distributions over 3 classes, received the size"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        losses([[0.0], [1.0]], logits)


def test_the_batch_size_may_be_unknown():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 3])])
    def losses(labels, logits):
        return cross_entropy(labels, logits)

    assert losses([0, 1], np.zeros((2, 3), "float32")).shape == 2


def test_a_python_float_keeps_its_digits_in_float64():
    assert hyper_parameter(0.1, tf.float64).numpy() == 0.1
    assert hyper_parameter(np.float32(0.5), tf.float64).dtype == tf.float64


def test_finite_logits_keep_their_bits():
    logits = tf.constant([[-3e38, 3e38], [-1e30, 0.0]])
    np.testing.assert_array_equal(as_logits(logits), logits)
    np.testing.assert_array_equal(tf.nn.softmax(as_logits([[0.0, -np.inf]])), [[1, 0]])


def test_float_class_numbers_of_a_thousand_classes():
    target = target_distribution(tf.constant([999.0, 257.0]), tf.zeros([2, 1000]))
    np.testing.assert_array_equal(tf.argmax(target, axis=-1), [999, 257])
