"""Checks of the data that `fit` is given, before the first step."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.training.classifiers import num_classes


def is_training_element(inputs) -> bool:
    """Whether `inputs` is the dict of a training element, not a classifier's own dict of inputs."""
    return isinstance(inputs, Mapping) and "inputs" in inputs and "sample_id" in inputs


def check_training_element(data, needs_meta: bool) -> None:
    """Refuses a batch, or the specification of a batch, that is not a training element.

    Raises:
        ValueError: other elements than those of `tf_mwn.paired_dataset`, or no meta set in them.
    """
    inputs = data[0] if isinstance(data, tuple) and len(data) == 2 else None
    wanted = ["inputs", "sample_id"] + (["meta_inputs", "meta_labels"] if needs_meta else [])
    if is_training_element(inputs) and all(key in inputs for key in wanted):
        return
    found = "(inputs, labels)" if isinstance(data, tuple) else type(data).__name__
    if isinstance(inputs, Mapping):
        found = str(sorted(inputs))
    if is_training_element(inputs):
        found = f"{found}: no meta set, so give x_meta and y_meta"
    raise ValueError(
        f"fit: expected elements ({{{', '.join(wanted)}}}, labels) as made by "
        f"tf_mwn.paired_dataset, received {found}"
    )


def check_training_data(dataset: Any, model: Any) -> None:
    """Refuses a data set whose examples or labels do not fit the classifier or the loss.

    Args:
        dataset: what `fit` was given; only a `tf.data.Dataset` is checked.
        model: a `RobustModel`.

    Raises:
        ValueError: no training elements, inputs of another shape than the classifier's, labels out
            of range or of another number of classes, or a loss that does not give one value for
            each of these labels.
    """
    if not isinstance(dataset, tf.data.Dataset):
        return
    check_training_element(dataset.element_spec, model.needs_meta_set)
    element, labels = dataset.element_spec
    check_inputs(model.classifier, element["inputs"])
    classes = num_classes(model.classifier)
    if classes is None or labels.shape.rank is None:
        return
    if classes > 1:
        _check_labels(dataset, labels, classes)
    _check_loss(model.per_example_loss, labels, classes)


def check_inputs(classifier: keras.Model, inputs: Any) -> None:
    """Refuses inputs whose shape a functional or Sequential classifier does not take.

    Args:
        classifier: built; checked only if it has a single input.
        inputs: an array, tensor or `tf.TensorSpec` of a batch.

    Raises:
        ValueError: an axis of another length, which the classifier's layers do not take either.
    """
    wanted = getattr(classifier, "inputs", None)
    shape = getattr(inputs, "shape", None)
    if not wanted or len(wanted) != 1 or shape is None or tf.TensorShape(shape).rank is None:
        return
    shape, wanted = tuple(shape)[1:], wanted[0].shape[1:]
    if len(shape) == len(wanted) and not any(
        one != other and None not in (one, other) for one, other in zip(shape, wanted, strict=True)
    ):
        return
    try:  # the layers may take shapes that the Input does not name
        spec = tf.TensorSpec((None, *shape), tf.as_dtype(inputs.dtype))
        tf.function(lambda x: classifier(x, training=False)).get_concrete_function(spec)
    except Exception as error:
        raise ValueError(
            f"inputs: expected the classifier's shape {list(wanted)}, received {list(shape)}"
        ) from error


def _check_labels(dataset, labels: tf.TensorSpec, classes: int) -> None:
    if labels.shape.rank == 2 and labels.shape[1] not in (1, classes, None):
        raise ValueError(
            f"fit: expected one-hot labels of the {classes} classes of the classifier, "
            f"received {labels.shape[1]} columns"
        )
    for name, largest in getattr(dataset, "largest_labels", {}).items():
        if largest >= classes:
            raise ValueError(
                f"fit: expected {name} to be below the classifier's number of classes "
                f"{classes}, received {largest} (classes are numbered from 0)"
            )


def _check_loss(loss, labels: tf.TensorSpec, classes: int) -> None:
    """Tries the loss on two examples of class 0."""
    example = tf.zeros([2], tf.int64)
    if labels.shape.rank == 2:
        example = tf.one_hot(example, labels.shape[1] or classes)
    example, reason = tf.cast(example, labels.dtype), None
    try:
        shape = tf.convert_to_tensor(loss(example, tf.zeros([2, classes]))).shape
        if shape != [2]:
            reason = f"one that gives {'one number' if not shape.rank else shape}"
    except (ValueError, TypeError, tf.errors.OpError) as error:
        reason = f"one that fails on them ({' '.join(str(error).split())})"
    if reason:
        raise ValueError(
            f"loss: expected one value for each example, from labels {list(example.shape)} and "
            f"logits [2, {classes}], received {reason}"
        )
