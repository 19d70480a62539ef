"""The base of the loss classes: hyper-parameters in, one value per example out."""

from collections.abc import Callable
from typing import Any

import keras

from tf_mwn.tensors import Labels, Logits, Losses, Tensor


class PerExampleLoss(keras.losses.Loss):
    """A per-example function and its hyper-parameters as a serialisable Keras loss.

    A subclass sets `function`, called as function(y_true, y_pred, **hyper_parameters), and checks
    its arguments. `call` never reduces; reduction and sample weights are those of Keras.

    Args:
        hyper_parameters: constructor arguments of the subclass, by name, as plain Python values.
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: a half-precision `dtype`. Keras casts the labels to it, and bfloat16 holds
            class numbers only up to 256. Half-precision logits are allowed: the loss is
            computed in float32.
    """

    function: Callable[..., Tensor]

    def __init__(self, hyper_parameters: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype: expected float32 or float64, received {self.dtype}")
        self.hyper_parameters = dict(hyper_parameters or {})

    def call(self, y_true: Labels, y_pred: Logits) -> Losses:
        return self.function(y_true, y_pred, **self.hyper_parameters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self.dtype, **self.hyper_parameters}
