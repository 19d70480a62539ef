"""A learned weight net as a JSON file, for use on other data."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import read_json, write_json
from tf_mwn.methods.meta_weight_net.weight_net import WeightNet

_FORMAT = "tf_mwn weight net 1"


def save_weight_net(weight_net: WeightNet, path: str | Path) -> None:
    """Writes V(loss; Θ) as JSON: `units`, `normalization`, `detach_loss`, and Θ.

    `variables` is a list of kernel, bias, kernel, bias, ... as nested lists. V is a ReLU network
    with a sigmoid at the end, so a few lines in any language can evaluate it.

    Raises:
        TypeError: not a `WeightNet`.
        OSError: the file cannot be written.

    Examples:
        >>> model = tf_mwn.MetaWeightNet(classifier)
        >>> tf_mwn.save_weight_net(model.weight_net, "weight_net.json")

    See Also:
        `load_weight_net`: reads the file, and trains another classifier with it.
    """
    if not isinstance(weight_net, WeightNet):
        raise TypeError(f"weight_net: expected a WeightNet, received {type(weight_net).__name__}")
    content = {
        "format": _FORMAT,
        "units": list(weight_net.units),
        "normalization": weight_net.normalization,
        "detach_loss": weight_net.detach_loss,
        "variables": [variable.numpy().tolist() for variable in weight_net.trainable_variables],
    }
    write_json(path, content)


def load_weight_net(path: str | Path) -> WeightNet:
    """The weight net in a file of `save_weight_net`, bit for bit.

    It can train another classifier with its fixed weights, without a meta set. V is learned for the
    losses of one training. It suits another training if the losses are alike, that is with about as
    many classes and as much noise.

    Raises:
        ValueError: a file of another kind, or variables that do not fit its sizes.
        OSError: the file cannot be read.

    Examples:
        >>> tf_mwn.save_weight_net(tf_mwn.WeightNet(), "weight_net.json")
        >>> model = tf_mwn.RobustModel(classifier, tf_mwn.load_weight_net("weight_net.json"))
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        `save_weight_net`: writes the file. `MetaWeightNet`: learns a weight net.
    """
    content = _read(path)
    try:
        values = [np.asarray(value, np.float64) for value in content["variables"]]
        sizes = [1, *content["units"], 1]  # compared before a net of these sizes takes memory
        wanted = [shape for pair in itertools.pairwise(sizes) for shape in (pair, pair[1:])]
        fits = [value.shape for value in values] == wanted
        names = ("units", "normalization", "detach_loss") if fits else ()
        weight_net = WeightNet(*(content[name] for name in names), name="weight_net")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = " ".join(repr(error).split())[:200]
        raise ValueError(f"{path}: expected a whole weight net, received {reason}") from error
    if not fits:
        raise ValueError(
            f"{path}: expected variables of shapes {wanted}, "
            f"received {[value.shape for value in values]}"
        )
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError(f"{path}: expected finite numbers, received NaN or infinity")
    for variable, value in zip(weight_net.trainable_variables, values, strict=True):
        variable.assign(value)
    return weight_net


def _read(path: str | Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON of save_weight_net, received {error}") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{path}: expected JSON of save_weight_net, received other content")
    return content
