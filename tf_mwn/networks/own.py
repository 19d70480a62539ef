"""The user's own network, by dotted path."""

import importlib

import keras
import numpy as np


def own_network(input_shape: tuple[int, ...], num_classes: int, path: str) -> keras.Model:
    """Calls the user's function with (input_shape, num_classes) and checks what it returns.

    Args:
        input_shape: shape of one input.
        num_classes: number of logits.
        path: `package.module:function`.

    Returns:
        The built model.

    Raises:
        ValueError: no function at the path, a function that fails, or a model that does not return
            logits [B, num_classes].
        TypeError: A result that is no Keras model.
    """
    function = _import(path)
    try:
        model = function(input_shape, num_classes)
    except Exception as error:  # the user's function may raise anything
        raise ValueError(
            f"network {path}: expected a model for ({input_shape}, {num_classes}), received "
            f"{type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(model, keras.Model):
        raise TypeError(f"network {path}: expected a keras.Model, received {type(model).__name__}")
    _check_logits(path, model, input_shape, num_classes)
    return model


def _import(path: str):
    module, _, name = path.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"network: expected the path package.module:function of a function that can be "
            f"imported, received {path!r} ({error})"
        ) from error
    if not callable(function):
        raise ValueError(f"network: expected a function, received {path!r}, which is none")
    return function


def _check_logits(path: str, model: keras.Model, input_shape, num_classes: int) -> None:
    """Runs the model once, which also builds it, and checks its output."""
    inputs = np.random.default_rng(0).normal(size=(3, *input_shape)).astype("float32")
    try:
        logits = model(inputs, training=False)
        shape, values = tuple(logits.shape), keras.ops.convert_to_numpy(logits)
    except Exception as error:  # a model for other inputs, or one that returns no tensor
        raise ValueError(
            f"network {path}: expected a model of inputs {input_shape}, received "
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    if shape != (3, num_classes):
        raise ValueError(
            f"network {path}: expected logits of shape {(None, num_classes)}, "
            f"received {(None, *shape[1:])}"
        )
    if np.all(values >= 0) and np.allclose(values.sum(axis=1), 1.0, atol=1e-3):
        raise ValueError(
            f"network {path}: expected logits, received probabilities; leave out the softmax"
        )
