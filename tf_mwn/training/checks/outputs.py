"""A look at what a classifier puts out, before it is trained: logits, not probabilities."""

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine import keras_internals
from tf_mwn.tensors import Inputs, Tensor

# Lengths that are tried for an axis whose length the classifier leaves open.
_LENGTHS = (8, 64, 256)
_EXAMPLES = 2


@dataclasses.dataclass(frozen=True)
class LogitsSpec:
    """What a classifier puts out.

    Attributes:
        shape: without the axis of examples; None for an axis of open or unknown length.
        is_masked: whether Keras' layers know of outputs that stand for padding.
    """

    shape: tuple[int | None, ...]
    is_masked: bool = False

    @property
    def classes(self) -> int:
        """C; 1 for logits [B]."""
        return cast(int, self.shape[-1]) if self.shape else 1  # the last axis is known


def check_logits(classifier: keras.Model, inputs: Any = None) -> LogitsSpec | None:
    """Refuses a classifier whose outputs are probabilities, whatever its layers are called.

    The outputs are those of random inputs. Real logits can resemble probabilities by chance, those
    of a head that starts at zero for instance: in doubt the weights are varied too.

    Args:
        classifier: built.
        inputs: `tf.TensorSpec` of a batch of inputs, or a structure of them; None for those that
            the classifier names itself.

    Returns:
        What is known of them; None if it is not known what the classifier takes.

    Raises:
        ValueError: probabilities, or no axis of examples.
    """
    if inputs is None:
        if not keras_internals.has_ordered_layers(classifier):
            return None
        sequential = isinstance(classifier, keras.Sequential)
        inputs = classifier.inputs[0] if sequential else classifier.input
    for length in _LENGTHS:
        examples = keras.tree.map_structure(lambda spec, n=length: _examples(spec, n), inputs)
        known = _outputs(classifier, examples)
        if known is not None:
            break
    else:
        return None
    outputs, is_masked = known
    shape = outputs.shape
    if not shape or shape[0] != _EXAMPLES:
        raise ValueError(
            "classifier: expected logits [B, C] or [B, .., C] as output, received shape "
            f"{[None, *shape[1:]]}"
        )
    kind = _kind(outputs)
    if kind and all(_kind(z) for z in _varied_outputs(classifier, examples)):
        raise ValueError(
            f"classifier: expected logits as output, received {kind}; leave out the softmax or "
            "sigmoid at the end, in whatever layer or function it is"
        )
    stated = getattr(classifier, "outputs", None)
    if stated:
        return LogitsSpec(tuple(stated[0].shape[1:]), is_masked)
    # The lengths of these outputs are those of the examples.
    return LogitsSpec((None,) * (len(shape) - 2) + shape[1:][-1:], is_masked)


def _kind(outputs: np.ndarray) -> str | None:
    """What probabilities the outputs [B, .., C] look like; None for logits."""
    if not np.isfinite(outputs).all() or outputs.min() < 0 or outputs.max() > 1:
        return None
    columns = outputs.shape[-1] if outputs.ndim > 1 else 1
    if columns > 1 and np.allclose(outputs.sum(axis=-1), 1, atol=1e-2):
        return "probabilities that sum to 1"
    return "numbers between 0 and 1"


def _varied_outputs(classifier: keras.Model, examples: Inputs) -> Sequence[np.ndarray]:
    """Outputs at five random choices of the weights; those that are not finite tell nothing."""
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = [
            (v, tf.cast(rng.normal(scale=_scale(v), size=v.shape), v.dtype))
            for v in classifier.variables
            if v.trainable or len(v.shape) > 1
            if tf.as_dtype(v.dtype).is_floating
        ]
        with keras.StatelessScope(state_mapping=values):
            outputs = _outputs(classifier, examples)
        found += [] if outputs is None or not np.isfinite(outputs[0]).all() else [outputs[0]]
    return found


def _scale(variable: keras.Variable) -> float:
    return 3 / np.sqrt(max(1, np.prod(variable.shape[:-1])))


def _outputs(classifier: keras.Model, examples: Inputs) -> tuple[np.ndarray, bool] | None:
    """Outputs in evaluation mode, and whether Keras gives them a mask; None if it fails."""
    try:
        outputs = classifier(examples, training=False)
        is_masked = keras_internals.has_mask(outputs)
        return np.asarray(tf.cast(outputs, tf.float32)), is_masked
    except Exception:  # a classifier may raise anything, and its training will
        return None


def _examples(spec: Any, length: int) -> Tensor:
    """A batch of random inputs: normal numbers, small integers, or empty strings."""
    shape = [_EXAMPLES, *(size or length for size in tuple(spec.shape)[1:])]
    dtype = tf.as_dtype(spec.dtype)
    if dtype.is_floating:
        return tf.cast(np.random.default_rng(0).normal(size=shape), dtype)
    if dtype.is_integer:
        return tf.cast(np.random.default_rng(0).integers(0, 2, shape), dtype)
    return tf.zeros(shape, dtype)
