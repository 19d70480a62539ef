"""Checks of the data that `fit` is given, before the first step."""

import itertools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.data.streams.examples import is_text
from tf_mwn.engine.linearise import trace_derivatives
from tf_mwn.training.checks.batches import BatchCheck, CheckedBatches
from tf_mwn.training.checks.losses import LabelRange, check_loss
from tf_mwn.training.checks.outputs import check_logits
from tf_mwn.training.classifiers import num_classes

# Autograph has no control flow to convert here, and takes half a second to find that out.
_AS_IT_IS = tf.autograph.experimental.do_not_convert


def is_training_element(inputs) -> bool:
    """Whether `inputs` is the dict of a training element, not a classifier's own dict of inputs."""
    return isinstance(inputs, Mapping) and "inputs" in inputs and "sample_id" in inputs


def check_training_element(data, needs_meta: bool) -> None:
    """Refuses a batch, or the specification of a batch, that is not a training element.

    Raises:
        ValueError: other elements than those of `tf_mwn.paired_dataset`, or no meta set in them.
    """
    inputs = data[0] if isinstance(data, tuple) and len(data) in (2, 3) else None
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


def unpacked(data, needs_meta: bool) -> tuple[dict[str, Any], Any]:
    """A training element as inputs and labels; the inputs hold any weights as "sample_weight".

    Raises:
        ValueError: see `check_training_element`.
    """
    check_training_element(data, needs_meta)
    element, labels, *weights = data
    if weights and weights[0] is not None:
        element = {**element, "sample_weight": weights[0]}
    return element, labels


def check_takes_weights(model: Any, name: str) -> None:
    """Refuses weights of examples for a method in whose objective they have no place.

    Raises:
        ValueError: naming the method.
    """
    if not model.reads_training_set:
        raise ValueError(
            f"{name}: expected None with {type(model).__name__}, which reads no example of the "
            "training set, received weights of them"
        )
    if not model.training_objective.takes_sample_weight:
        raise ValueError(
            f"{name}: expected None with {type(model.training_objective).__name__}, whose "
            "takes_sample_weight is False, received weights of examples"
        )


def checked_data(data: Any, model: Any, weigh: Callable | None = None) -> Any:
    """The data for `fit`, with a check in them of every batch that is not checked already.

    Args:
        data: a `tf.data.Dataset`, a generator or a `keras.utils.PyDataset` of training elements,
            or one training element (dict, labels) or (dict, labels, weights) of arrays.
        model: a `RobustModel`.
        weigh: a function of (element, labels, weights or nothing) that adds the weights of classes,
            or None.

    Raises:
        TypeError: data of another kind.
        ValueError: no training elements, inputs of another shape than the classifier's, labels of
            a wrong kind, or a loss that does not give one value for each of these labels.
        tf.errors.InvalidArgumentError: arrays that `BatchCheck` refuses.
    """
    if isinstance(data, tf.data.Dataset):
        check = element_check(data.element_spec, model)
        if hasattr(data, "largest_labels"):  # made of arrays, which are checked
            _check_largest(data.largest_labels, check)
            return data if weigh is None else data.map(_AS_IT_IS(weigh)).prefetch(1)
        if weigh is not None:
            data = data.map(_AS_IT_IS(weigh))
        return data.map(_AS_IT_IS(check)).prefetch(1)
    if isinstance(data, types.GeneratorType):
        first = next(data)
        check = element_check(_spec(first), model)
        return _checked_generator(first, data, check, weigh)
    if isinstance(data, keras.utils.PyDataset):
        check = element_check(_spec(data[0]), model)
        return CheckedBatches(data, lambda batch: _checked_element(batch, check, weigh))
    if isinstance(data, tuple):
        check_training_element(data, model.needs_meta_set)
        data = tf.nest.map_structure(tf.convert_to_tensor, data)
        data = data if weigh is None else weigh(*data)
        spec = _spec(data)
        checks = model.batch_checks()  # a loop of `train_on_batch` has one specification
        if repr(spec) not in checks:
            checks[repr(spec)] = element_check(spec, model)
        return checks[repr(spec)](*data)
    raise TypeError(
        "x: expected arrays, a tf.data.Dataset as made by tf_mwn.paired_dataset, or a generator or "
        f"PyDataset of such elements, received {type(data).__name__}"
    )


def element_check(spec: Any, model: Any) -> BatchCheck:
    """Checks the specification of a training element; returns the check of its values.

    Raises:
        ValueError: see `checked_data`.
    """
    check_training_element(spec, model.needs_meta_set)
    if model.run_eagerly and model.differentiates_twice:
        trace_derivatives(model.classifier, spec[0]["inputs"], model.virtual_selection)
    element, labels, *weights = spec
    if weights:
        check_takes_weights(model, "sample_weight")
        _check_weights_spec(weights[0])
    check_inputs(model.classifier, element["inputs"])
    classes = num_classes(model.classifier)
    if classes is None:
        classes = check_logits(model.classifier, element["inputs"])
    specs = {"labels": labels}
    if "meta_inputs" in element:
        check_inputs(model.classifier, element["meta_inputs"])
        specs["meta_labels"] = element["meta_labels"]
    ranges = {name: _check_labels(model, name, spec, classes) for name, spec in specs.items()}
    inputs = getattr(model.classifier, "inputs", None)
    shape = tuple(inputs[0].shape[1:]) if inputs and len(inputs) == 1 else None
    return BatchCheck(classes or 0, ranges, shape, model.reads_training_set)


def check_inputs(classifier: keras.Model, inputs: Any) -> None:
    """Refuses inputs whose kind or shape a functional or Sequential classifier does not take.

    Args:
        classifier: built; the shape is checked only if it has a single input.
        inputs: an array, tensor or `tf.TensorSpec` of a batch.

    Raises:
        ValueError: an axis of another length, which the classifier's layers do not take either; or
            text for numbers, or numbers for text.
    """
    wanted = getattr(classifier, "inputs", None)
    if wanted:
        _check_kinds(wanted, inputs)
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


def _check_weights_spec(weights: tf.TensorSpec) -> None:
    shape = weights.shape
    if shape.rank is not None and shape.rank != 1:
        raise ValueError(f"fit: expected sample_weight in shape [B], received shape {list(shape)}")


def _check_kinds(wanted: Sequence[keras.KerasTensor], inputs: Any) -> None:
    """Compares the numbers of inputs that are text."""
    texts = sum(tf.as_dtype(part.dtype) == tf.string for part in wanted)
    found = sum(_is_text(part) for part in tf.nest.flatten(inputs))
    if found > texts:
        raise ValueError(
            "inputs: expected numbers, received text; make numbers of it in the classifier, by "
            "keras.layers.StringLookup or TextVectorization for example"
        )
    if found < texts:
        raise ValueError("inputs: expected text for the classifier's input, received numbers")


def _is_text(part: Any) -> bool:
    return part.dtype == tf.string if isinstance(part, tf.TypeSpec) else is_text(part)


def _check_labels(model, name: str, labels: tf.TensorSpec, classes: int | None) -> LabelRange:
    """Checks the kind of labels, and tries the losses on them; what the losses take of them."""
    if classes is None or labels.shape.rank is None:
        return LabelRange()
    name, shape = {"labels": "y", "meta_labels": "y_meta"}[name], labels.shape
    if shape.rank > 2:
        raise ValueError(
            f"fit: expected {name} in shape [B] or [B, {classes}], received shape {list(shape)}"
        )
    if classes > 1 and shape.rank == 2 and shape[1] == 1:
        raise ValueError(
            f"fit: expected {name} in shape [B], received [B, 1]; take {name}[:, 0] of it"
        )
    if classes > 1 and shape.rank == 2 and shape[1] not in (classes, None):
        raise ValueError(
            f"fit: expected one-hot labels of the {classes} classes of the classifier, "
            f"received {shape[1]} columns"
        )
    if classes > 1 and shape.rank == 1 and not labels.dtype.is_integer:
        raise ValueError(
            f"fit: expected {name} to be integers of shape [B] or floats of shape [B, {classes}], "
            f"received {labels.dtype.name} of shape [B]; cast class numbers to int64"
        )
    own = getattr(model.training_objective, "own_loss", None)
    ranges = [check_loss(loss, labels, classes) for loss in (model.per_example_loss, own) if loss]
    return ranges[0]


def _check_largest(largest: Mapping[str, int], check: BatchCheck) -> None:
    """Compares the largest labels of arrays, which have no negative ones, with what is taken."""
    for name, value in largest.items():
        high = check.labels["meta_labels" if name == "y_meta" else "labels"].high
        if high is None or value <= high:
            continue
        if check.classes == 1:
            raise ValueError(f"fit: expected {name} to be at most {high}, received {value}")
        raise ValueError(
            f"fit: expected {name} to be below the classifier's number of classes "
            f"{check.classes}, received {value} (classes are numbered from 0)"
        )


def _checked_generator(first, rest, check: BatchCheck, weigh):
    for data in itertools.chain([first], rest):
        yield _checked_element(data, check, weigh)


def _checked_element(data, check: BatchCheck, weigh):
    check_training_element(data, "meta_labels" in check.labels)
    return check(*(data if weigh is None else weigh(*data)))


def _spec(data: Any) -> Any:
    """The specification of a batch given by its values."""

    def spec(value):
        value = tf.convert_to_tensor(value)
        return tf.TensorSpec([None, *value.shape[1:]], value.dtype)

    return tf.nest.map_structure(spec, data)
