"""The `class_weight` of `fit`: a weight for each example by its label."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, check_count


class ClassWeight:
    """Multiplies the weight of its label into each example of a training element.

    A one-hot or soft label has the weight of its largest class, as in Keras.

    Args:
        class_weight: class number -> weight, at least 0; 1 for classes that are not named.
        num_classes: C, at least 2; None if it is not known.

    Raises:
        TypeError, ValueError: no dict, a class that the classifier does not have, or a weight
            below 0.

    Attributes:
        table: the weight of each class up to the largest one that is named, float32.
    """

    def __init__(self, class_weight: Mapping[int, float], num_classes: int | None):
        if not isinstance(class_weight, Mapping) or not class_weight:
            raise TypeError(
                "class_weight: expected a dict from class numbers to weights, "
                f"received {class_weight!r}"
            )
        for label in class_weight:
            check_count("class_weight", label, 0)
            if num_classes is not None and label >= num_classes:
                raise ValueError(
                    f"class_weight: expected classes below {num_classes}, received {label}"
                )
        self.table = np.ones(max(class_weight) + 1, np.float32)
        for label, weight in class_weight.items():
            self.table[label] = NON_NEGATIVE.check(f"class_weight of class {label}", weight)

    def __call__(self, element, labels, *weights):
        """(element, labels, weights of examples or nothing) -> (element, labels, weights [B])."""
        labels = tf.convert_to_tensor(labels)
        numbers = labels
        if labels.shape.rank == 2:
            numbers = labels[:, 0] if labels.shape[1] == 1 else tf.argmax(labels, axis=-1)
        numbers = tf.cast(numbers, tf.int64)
        known = (numbers >= 0) & (numbers < len(self.table))
        of_class = tf.gather(self.table, tf.where(known, numbers, tf.zeros_like(numbers)))
        of_class = tf.where(known, of_class, tf.ones_like(of_class))
        for given in weights:
            of_class *= tf.cast(given, of_class.dtype)
        return element, labels, of_class
