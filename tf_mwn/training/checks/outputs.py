"""A look at what a classifier puts out, before it is trained: logits, not probabilities."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine.keras_internals import has_ordered_layers

# Lengths that are tried for an axis whose length the classifier leaves open.
_LENGTHS = (8, 64, 256)
_EXAMPLES = 2


def check_logits(classifier: keras.Model, inputs: Any = None) -> int | None:
    """Refuses a classifier whose outputs are probabilities, whatever its layers are called.

    The outputs are those of random inputs. Real logits can resemble probabilities by chance, those
    of a head that starts at zero for instance: in doubt the weights are varied too.

    Args:
        classifier: built.
        inputs: `tf.TensorSpec` of a batch of inputs, or a structure of them; None for those that
            the classifier names itself.

    Returns:
        C, the number of outputs; None if it is not known what the classifier takes.

    Raises:
        ValueError: probabilities, or another shape than [B, C].
    """
    if inputs is None:
        if not has_ordered_layers(classifier):
            return None
        sequential = isinstance(classifier, keras.Sequential)
        inputs = classifier.inputs[0] if sequential else classifier.input
    for length in _LENGTHS:
        examples = keras.tree.map_structure(lambda spec, n=length: _examples(spec, n), inputs)
        outputs = _outputs(classifier, examples)
        if outputs is not None:
            break
    else:
        return None
    shape = list(outputs.shape)
    if len(shape) != 2 or shape[0] != _EXAMPLES:
        raise ValueError(
            f"classifier: expected logits [B, C] as output, received shape {[None, *shape[1:]]}"
        )
    kind = _kind(outputs)
    if kind and all(_kind(z) for z in _varied_outputs(classifier, examples)):
        raise ValueError(
            f"classifier: expected logits as output, received {kind}; leave out the softmax or "
            "sigmoid at the end, in whatever layer or function it is"
        )
    return shape[1]


def _kind(outputs: np.ndarray) -> str | None:
    """What probabilities the outputs [B, C] look like; None for logits."""
    if not np.isfinite(outputs).all() or outputs.min() < 0 or outputs.max() > 1:
        return None
    if outputs.shape[1] > 1 and np.allclose(outputs.sum(axis=1), 1, atol=1e-2):
        return "probabilities that sum to 1"
    return "numbers between 0 and 1"


def _varied_outputs(classifier: keras.Model, examples) -> Sequence[np.ndarray]:
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
        found += [] if outputs is None or not np.isfinite(outputs).all() else [outputs]
    return found


def _scale(variable: keras.Variable) -> float:
    return 3 / np.sqrt(max(1, np.prod(variable.shape[:-1])))


def _outputs(classifier: keras.Model, examples) -> np.ndarray | None:
    """Outputs in evaluation mode; None if the classifier does not take the examples."""
    try:
        return np.asarray(tf.cast(classifier(examples, training=False), tf.float32))
    except Exception:  # a classifier may raise anything, and its training will
        return None


def _examples(spec, length: int) -> tf.Tensor:
    """A batch of random inputs: normal numbers, small integers, or empty strings."""
    shape = [_EXAMPLES, *(size or length for size in tuple(spec.shape)[1:])]
    dtype = tf.as_dtype(spec.dtype)
    if dtype.is_floating:
        return tf.cast(np.random.default_rng(0).normal(size=shape), dtype)
    if dtype.is_integer:
        return tf.cast(np.random.default_rng(0).integers(0, 2, shape), dtype)
    return tf.zeros(shape, dtype)
