"""Classifier networks by name; listing them imports no TensorFlow."""

import dataclasses
import importlib
import os

from tf_mwn.checks import unknown_name
from tf_mwn.networks.families import FAMILIES, SYNCHRONISED, family_options
from tf_mwn.networks.row import NetworkRow

__all__ = ["FAMILIES", "NETWORKS", "NetworkRow", "build", "check_network", "takes_raw"]

NETWORKS = {
    row.name: row
    for row in (
        NetworkRow("mlp", "two hidden layers of 128 units; any input", "mlp:mlp", batch_norm=False),
        NetworkRow("small_cnn", "three 3x3 convolutions with batch norm; images", "cnn:small_cnn"),
        NetworkRow("lenet", "LeNet-5 with ReLU (0.06 M weights)", "cnn:lenet", batch_norm=False),
        NetworkRow("cnn9", "nine-layer CNN of Co-teaching (4.4 M weights)", "cnn:cnn9"),
        NetworkRow("resnet20", "CIFAR ResNet-20 (0.27 M weights)", "resnet:resnet", {"depth": 20}),
        NetworkRow("resnet32", "CIFAR ResNet-32 (0.46 M weights)", "resnet:resnet", {"depth": 32}),
        NetworkRow("resnet56", "CIFAR ResNet-56 (0.85 M weights)", "resnet:resnet", {"depth": 56}),
        NetworkRow(
            "wrn_28_10",
            "wide ResNet, 28 layers, width 10 (36.5 M weights)",
            "wide_resnet:wide_resnet",
            {"depth": 28, "width": 10},
        ),
        NetworkRow(
            "preact_resnet18",
            "pre-activation ResNet-18 (11.2 M weights)",
            "preact_resnet:preact_resnet",
            {"depth": 18},
        ),
        NetworkRow(
            "preact_resnet34",
            "pre-activation ResNet-34 (21.3 M weights)",
            "preact_resnet:preact_resnet",
            {"depth": 34},
        ),
    )
}


def _find(name: str) -> NetworkRow:
    if name in NETWORKS:
        return NETWORKS[name]
    for family in FAMILIES:
        options = family_options(family, name)
        if options is not None and family is SYNCHRONISED:
            return dataclasses.replace(_find(options["network"]), name=name, synchronised=True)
        if options is not None:
            return dataclasses.replace(family, name=name, options=options)
    message = unknown_name("network", name, [*NETWORKS, *(family.name for family in FAMILIES)])
    raise ValueError(message)


def check_network(name: str) -> None:
    """Raises ValueError, with the valid names and the nearest, if `name` is unknown.

    A name with parameters is read; the user's own function is not imported yet.
    """
    _find(name)


def build(name: str, input_shape: tuple[int, ...], num_classes: int, weights: str | None = None):
    """A built `keras.Model` from inputs of `input_shape` to `num_classes` logits.

    Args:
        name: one of `NETWORKS`, or a name of one of `FAMILIES`.
        input_shape: shape of one input.
        num_classes: number of logits.
        weights: pretrained weights: "imagenet" or a file without top for `applications/<Name>`; a
            `.weights.h5` file of the whole network for any other.

    Raises:
        ValueError: for an unknown name, a shape the network cannot take, or weights that do not
            fit.

    Examples:
        >>> from tf_mwn.networks import build
        >>> build("small_cnn", (28, 28, 1), 10).output_shape
        (None, 10)
    """
    row, shape = _find(name), tuple(input_shape)
    if row.own_weights:
        model = _imported(row.builder)(shape, num_classes, weights=weights, **row.options)
    else:
        model = _imported(row.builder)(shape, num_classes, **row.options)
        model = model if weights is None else _with_weights(model, name, weights)
    return _imported(SYNCHRONISED.builder)(model) if row.synchronised else model


def _imported(path: str):
    module, function = path.split(":")
    return getattr(importlib.import_module(f"tf_mwn.networks.{module}"), function)


def takes_raw(name: str, weights: str | None = None) -> bool:
    """Whether the network takes inputs as they are, instead of standardised ones.

    Pretrained networks take pixels from 0 to 255; recurrent ones take numbers of tokens.
    """
    row = _find(name)
    return row.takes_tokens or (weights is not None and row.own_weights)


def _with_weights(model, name: str, path: str):
    if not os.path.isfile(path):
        raise ValueError(
            f"network_weights: expected a .weights.h5 file for network {name}, "
            f"received {path}, which does not exist"
        )
    try:
        model.load_weights(path)
    except Exception as error:  # h5py and Keras raise anything for a file that does not fit
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"network_weights: expected weights of network {name} in {path}, received {reason}"
        ) from error
    return model
