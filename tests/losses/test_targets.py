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


def test_the_batch_size_may_be_unknown():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 3])])
    def losses(labels, logits):
        return cross_entropy(labels, logits)

    assert losses([0, 1], np.zeros((2, 3), "float32")).shape == 2


def test_a_python_float_keeps_its_digits_in_float64():
    assert hyper_parameter(0.1, tf.float64).numpy() == 0.1
    assert hyper_parameter(np.float32(0.5), tf.float64).dtype == tf.float64


def test_float_class_numbers_of_a_thousand_classes():
    target = target_distribution(tf.constant([999.0, 257.0]), tf.zeros([2, 1000]))
    np.testing.assert_array_equal(tf.argmax(target, axis=-1), [999, 257])
