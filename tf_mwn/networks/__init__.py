"""Classifier networks by name; listing them imports no TensorFlow."""

import dataclasses
import importlib

from tf_mwn.names import unknown_name


@dataclasses.dataclass(frozen=True)
class NetworkRow:
    """One network: `builder` is the dotted path of (input_shape, num_classes) -> keras.Model."""

    name: str
    title: str
    builder: str
    options: dict = dataclasses.field(default_factory=dict)


NETWORKS = {
    row.name: row
    for row in (
        NetworkRow("mlp", "two hidden layers of 128 units; any input", "mlp:mlp"),
        NetworkRow("small_cnn", "three 3x3 convolutions with batch norm; images", "cnn:small_cnn"),
        NetworkRow("resnet20", "CIFAR ResNet-20 (0.27 M weights)", "resnet:resnet", {"depth": 20}),
        NetworkRow("resnet32", "CIFAR ResNet-32 (0.46 M weights)", "resnet:resnet", {"depth": 32}),
        NetworkRow("resnet56", "CIFAR ResNet-56 (0.86 M weights)", "resnet:resnet", {"depth": 56}),
    )
}


def check_network(name: str) -> None:
    """Raises ValueError, with the valid names and the nearest, if `name` is unknown."""
    if name not in NETWORKS:
        raise ValueError(unknown_name("network", name, NETWORKS))


def build(name: str, input_shape: tuple[int, ...], num_classes: int):
    """A built `keras.Model` from inputs of `input_shape` to `num_classes` logits.

    Raises:
        ValueError: for an unknown name, or a shape the network cannot take.
    """
    check_network(name)
    row = NETWORKS[name]
    module, function = row.builder.split(":")
    builder = getattr(importlib.import_module(f"tf_mwn.networks.{module}"), function)
    return builder(tuple(input_shape), num_classes, **row.options)
