"""Checks of the data that `fit` is given, before the first step."""

import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.examples import is_text
from tf_mwn.engine.linearise import trace_derivatives
from tf_mwn.tensors import Element, Inputs, Labels
from tf_mwn.training.checks.batches import BatchCheck, CheckedBatches, mistakes_in_batches
from tf_mwn.training.checks.labels import check_labels, has_classes
from tf_mwn.training.checks.losses import LabelRange
from tf_mwn.training.checks.outputs import LogitsSpec, check_logits
from tf_mwn.training.checks.tasks import check_task

# (element, labels, *weights) -> the same with the weights of classes.
Weigh: TypeAlias = Callable[..., tuple[Any, ...]]
# Autograph has no control flow to convert here, and takes half a second to find that out.
_AS_IT_IS = tf.autograph.experimental.do_not_convert


def is_training_element(inputs: Any) -> TypeGuard[Element]:
    """Whether `inputs` is the dict of a training element, not a classifier's own dict of inputs."""
    return isinstance(inputs, Mapping) and "inputs" in inputs and "sample_id" in inputs


def check_training_element(data: Any, needs_meta: bool) -> None:
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


def unpacked(data: Any, needs_meta: bool) -> tuple[Element, Labels]:
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


def checked_data(data: Any, model: Any, weigh: Weigh | None = None) -> Any:
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
    by_class = weigh is not None
    if isinstance(data, tf.data.Dataset):
        check = element_check(data.element_spec, model, by_class)
        if hasattr(data, "label_arrays"):  # the inputs are checked
            _check_arrays(data.label_arrays, check)
            return data if weigh is None else data.map(_AS_IT_IS(weigh)).prefetch(1)
        if weigh is not None:
            data = data.map(_AS_IT_IS(weigh))
        return data.map(_AS_IT_IS(check)).prefetch(1)
    if isinstance(data, types.GeneratorType):
        first = next(data)
        check = element_check(_spec(first), model, by_class)
        return _checked_generator(first, data, check, weigh)
    if isinstance(data, keras.utils.PyDataset):
        check = element_check(_spec(data[0]), model, by_class)
        return CheckedBatches(data, lambda batch: _checked_element(batch, check, weigh))
    if isinstance(data, tuple):
        check_training_element(data, model.needs_meta_set)
        data = tf.nest.map_structure(tf.convert_to_tensor, data)
        data = data if weigh is None else weigh(*data)
        spec = _spec(data)
        checks = model.batch_checks()  # a loop of `train_on_batch` has one specification
        if repr(spec) not in checks:
            checks[repr(spec)] = element_check(spec, model, by_class)
        return checks[repr(spec)](*data)
    raise TypeError(
        "x: expected arrays, a tf.data.Dataset as made by tf_mwn.paired_dataset, or a generator or "
        f"PyDataset of such elements, received {type(data).__name__}"
    )


def element_check(spec: Any, model: Any, by_class: bool = False) -> BatchCheck:
    """Checks the specification of a training element; returns the check of its values.

    Args:
        spec: of the element.
        model: a `RobustModel`.
        by_class: whether examples are weighted by their classes.

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
    logits = _logits(model.classifier, element["inputs"])
    specs = {"labels": labels}
    if "meta_inputs" in element:
        check_inputs(model.classifier, element["meta_inputs"])
        specs["meta_labels"] = element["meta_labels"]
    ranges = {name: _check_labels(model, name, spec, logits) for name, spec in specs.items()}
    if by_class and logits is not None and not has_classes(ranges["labels"], logits):
        raise ValueError(
            "class_weight: expected None where an example has not one label of one class, received "
            "weights of classes; give their sample_weight"
        )
    inputs = getattr(model.classifier, "inputs", None)
    shape = tuple(inputs[0].shape[1:]) if inputs and len(inputs) == 1 else None
    ignored = model.per_example_loss.ignore_class
    return BatchCheck(ranges, shape, model.reads_training_set, ignored)


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


def _check_labels(
    model: Any, name: str, labels: tf.TensorSpec, logits: LogitsSpec | None
) -> LabelRange:
    """Checks the kind of labels, and tries the losses on them; what the losses take of them."""
    if logits is None or labels.shape.rank is None:
        return LabelRange()
    name = {"labels": "y", "meta_labels": "y_meta"}[name]
    found = check_labels(model.per_example_loss, name, labels, logits)
    check_task(model, found, logits)
    own = getattr(model.training_objective, "own_loss", None)
    if own is not None:
        check_labels(own, name, labels, logits)
    return found


def _logits(classifier: keras.Model, inputs: Inputs) -> LogitsSpec | None:
    """What is known of the classifier's logits; it is called where its layers do not tell."""
    outputs = getattr(classifier, "outputs", None)
    known = LogitsSpec(tuple(outputs[0].shape[1:])) if outputs else None
    if known is not None and len(known.shape) < 2:
        return known
    return check_logits(classifier, inputs) or known


def _check_arrays(arrays: Mapping[str, np.ndarray], check: BatchCheck) -> None:
    """Checks the labels of whole arrays, whose inputs are checked already."""
    for name, labels in arrays.items():
        known = check.labels["meta_labels" if name == "y_meta" else "labels"]
        with mistakes_in_batches():
            check.of_labels(tf.constant(labels), name, known)


def _checked_generator(
    first: Any, rest: Iterator[Any], check: BatchCheck, weigh: Weigh | None
) -> Iterator[Any]:
    for data in itertools.chain([first], rest):
        yield _checked_element(data, check, weigh)


def _checked_element(data: Any, check: BatchCheck, weigh: Weigh | None) -> tuple[Any, ...]:
    check_training_element(data, "meta_labels" in check.labels)
    return check(*(data if weigh is None else weigh(*data)))


def _spec(data: Any) -> Any:
    """The specification of a batch given by its values."""

    def spec(value: Any) -> tf.TensorSpec:
        value = tf.convert_to_tensor(value)
        return tf.TensorSpec([None, *value.shape[1:]], value.dtype)

    return tf.nest.map_structure(spec, data)
