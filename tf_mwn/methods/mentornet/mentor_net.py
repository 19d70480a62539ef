"""MentorNet: a small network that weighs an example by its loss and the stage of training."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.files import read_json, write_json
from tf_mwn.tensors import Tensor

_FORMAT = "tf_mwn mentor net 1"
# Name -> shape of each variable. Biases in `_ZERO` start at 0, all others are drawn from N(0, 1).
_SHAPES = {
    "input_gate": (2, 2),
    "input_gate_bias": (2,),
    "candidate": (2, 2),
    "candidate_bias": (2,),
    "label_code": (2, 2),
    "percent_code": (100, 5),
    "hidden": (9, 20),
    "hidden_bias": (20,),
    "output": (20, 1),
    "output_bias": (1,),
}
_ZERO = ("input_gate_bias", "candidate_bias")
_FIXED = ("percent_code",)


def mentor_features(losses: tf.Tensor, differences: tf.Tensor, percent: tf.Tensor) -> tf.Tensor:
    """The mentor's input [N, 4]: l, d, label and percent of training of each example.

    The label is always 0, as in the authors' code. A mentor can therefore serve data with other
    classes.

    Args:
        losses: l, [N].
        differences: d = l minus the running percentile, [N].
        percent: integers 0..99, [N] or a scalar.
    """
    percent = tf.broadcast_to(tf.cast(percent, losses.dtype), tf.shape(losses))
    return tf.stack([losses, differences, tf.zeros_like(losses), percent], axis=-1)


@keras.saving.register_keras_serializable(package="tf_mwn")
class MentorNet(keras.layers.Layer):
    """v = g(l, d, label, percent; Θ): features [N, 4] to weights [N] in (0, 1).

    Three inputs go to 20 tanh units and a sigmoid: the cell states of a bidirectional LSTM with
    one unit in each direction, a learned code of the label, and a fixed random code of the
    percent. As in the authors' code, the LSTM reads a sequence with the single element (l, d); in
    the paper it reads a short history of losses. With a single element x the cell state is
    σ(x W_i + b_i) tanh(x W_c + b_c). The other gates and the recurrence have no effect and are
    left out.

    The authors' code adds the last bias to the kernel; here it is added to the output, as usual.

    Args:
        seed: of the initial values.

    Examples:
        >>> mentor = tf_mwn.MentorNet()
        >>> features = np.array([[0.1, -1.0, 0, 50], [3.0, 2.0, 1, 50]], "float32")
        >>> mentor(features).shape
        TensorShape([2])
        >>> mentor.save("mentor.json")
        >>> mentor = tf_mwn.MentorNet.load("mentor.json")

    See Also:
        - `MentorNetDD`, `MentorNetPD`: the trainings with a mentor.
        - `WeightNet`: weights from the loss alone.

    References:
        Jiang et al., MentorNet, ICML 2018. https://arxiv.org/abs/1712.05055
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": keras.config.floatx(), **kwargs})
        self.seed = seed
        self._parts = {}
        draws = np.random.SeedSequence(seed).generate_state(len(_SHAPES)).tolist()
        for draw, (name, shape) in zip(draws, _SHAPES.items(), strict=True):
            normal = keras.initializers.RandomNormal(stddev=1.0, seed=draw % 2**31)
            self._parts[name] = self.add_weight(
                name=name,
                shape=shape,
                initializer="zeros" if name in _ZERO else normal,
                trainable=name not in _FIXED,
                aggregation="only_first_replica",
            )
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def logits(self, features: tf.Tensor) -> tf.Tensor:
        """Logits [N] of the weights, for features [N, 4] of `mentor_features`."""
        part = {name: tf.convert_to_tensor(value) for name, value in self._parts.items()}
        features = tf.cast(features, self.compute_dtype)
        element = features[:, :2]
        label, percent = (tf.cast(features[:, i], tf.int32) for i in (2, 3))
        gate = tf.sigmoid(element @ part["input_gate"] + part["input_gate_bias"])
        cell = gate * tf.tanh(element @ part["candidate"] + part["candidate_bias"])
        codes = tf.gather(part["label_code"], label), tf.gather(part["percent_code"], percent)
        joined = tf.concat([cell, *codes], axis=-1)
        hidden = tf.tanh(joined @ part["hidden"] + part["hidden_bias"])
        return (hidden @ part["output"] + part["output_bias"])[:, 0]

    def call(self, features: Tensor) -> Tensor:
        """Weights [N]."""
        return tf.sigmoid(self.logits(features))

    def save(self, path: str | Path) -> None:
        """Writes the mentor as JSON, for use in other trainings and on other data.

        `variables` maps the name of each variable to its value as nested lists.

        Raises:
            OSError: the file cannot be written.
        """
        values = {name: value.numpy().tolist() for name, value in self._parts.items()}
        write_json(path, {"format": _FORMAT, "variables": values})

    @classmethod
    def load(cls, path: str | Path) -> "MentorNet":
        """The mentor in a file of `save`, bit for bit.

        Raises:
            ValueError: a file of another kind, or variables of other shapes.
            OSError: the file cannot be read.
        """
        values = _read(path)
        mentor = cls()
        for name, variable in mentor._parts.items():
            variable.assign(values[name])
        return mentor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _read(path: str | Path) -> dict[str, np.ndarray]:
    """The checked variables in a file, by name."""
    try:
        content = read_json(path)
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError("other content")
        values = {k: np.asarray(v, np.float64) for k, v in content["variables"].items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(
            f"mentor: expected a file of MentorNet.save, received {path} ({error})"
        ) from error
    shapes = {name: value.shape for name, value in values.items()}
    if shapes != _SHAPES or not all(np.isfinite(value).all() for value in values.values()):
        raise ValueError(
            f"mentor: expected finite numbers of the shapes of a MentorNet in {path}, "
            f"received {shapes}"
        )
    return values
