"""Families of networks, whose names contain parameters."""

import difflib
import re

from tf_mwn.networks.row import NetworkRow

RESNET = NetworkRow("resnet<6n+2>", "CIFAR ResNet of any depth, such as resnet110", "resnet:resnet")
WIDE_RESNET = NetworkRow(
    "wrn_<6n+4>_<width>[_<dropout>]",
    "wide ResNet, such as wrn_16_4 or wrn_28_10_0.3",
    "wide_resnet:wide_resnet",
)
PREACT_RESNET = NetworkRow(
    "preact_resnet<18|34>", "pre-activation ResNet", "preact_resnet:preact_resnet"
)
GRU = NetworkRow(
    "gru_<vocabulary>",
    "embedding and GRU for sequences of token numbers, such as gru_10000",
    "recurrent:gru",
    batch_norm=False,
    takes_tokens=True,
)
APPLICATION = NetworkRow(
    "applications/<Name>",
    "any of keras.applications, such as applications/ResNet50, with --network_weights or without",
    "applications:application",
    own_weights=True,
)
SYNCHRONISED = NetworkRow(
    "synchronised/<network>",
    "any of these, batch norm over the whole batch instead of each device's share",
    "batch_norm:synchronised",
)
OWN = NetworkRow(
    "<package.module>:<function>",
    "your own: called with (input_shape, num_classes), returns a Keras model of logits",
    "own:own_network",
)

FAMILIES = (RESNET, WIDE_RESNET, PREACT_RESNET, GRU, APPLICATION, SYNCHRONISED, OWN)


def family_options(family: NetworkRow, name: str) -> dict | None:
    """Returns the options that a name stands for in a family, or None if it is not in the family.

    Raises:
        ValueError: parameters that the family does not have; the message suggests the nearest name.
    """
    return _READERS[family.name](name)


def _read_resnet(name: str) -> dict | None:
    match = re.fullmatch(r"resnet_?(\d+)", name)
    if match is None:
        return None
    depth = int(match[1])
    _check(RESNET, name, f"resnet{_nearest_depth(depth, 2)}")
    return {"depth": depth}


def _read_wide_resnet(name: str) -> dict | None:
    match = re.fullmatch(r"wrn[_-]?(\d+)[_-](\d+)(?:_(\d+(?:\.\d+)?))?", name)
    if match is None:
        return None
    depth, width = int(match[1]), int(match[2])
    tail = "" if match[3] is None else f"_{match[3] if float(match[3]) < 1 else '0.3'}"
    _check(WIDE_RESNET, name, f"wrn_{_nearest_depth(depth, 4)}_{max(width, 1)}{tail}")
    return {"depth": depth, "width": width, "dropout": float(match[3] or 0)}


def _read_preact_resnet(name: str) -> dict | None:
    match = re.fullmatch(r"preact_?resnet_?(\d+)", name)
    if match is None:
        return None
    depth = int(match[1])
    _check(PREACT_RESNET, name, f"preact_resnet{18 if depth < 26 else 34}")
    return {"depth": depth}


def _read_gru(name: str) -> dict | None:
    match = re.fullmatch(r"gru[_-]?(\d+)", name)
    if match is None:
        return None
    _check(GRU, name, f"gru_{max(2, int(match[1]))}")
    return {"vocabulary": int(match[1])}


def _read_application(name: str) -> dict | None:
    prefix, slash, application = name.partition("/")
    if not slash or prefix != "applications":
        return None
    # Imported here: Keras is slow to import, and the other names do not need it.
    from tf_mwn.networks.applications import application_names

    names = application_names()
    near = difflib.get_close_matches(application, names, n=1, cutoff=0.0)
    alike = [known for known in names if known.lower() == application.lower()] or near
    _check(APPLICATION, name, f"applications/{alike[0]}")
    return {"name": application}


def _read_synchronised(name: str) -> dict | None:
    prefix, slash, network = name.partition("/")
    return {"network": network} if slash and prefix == "synchronised" else None


def _read_own(name: str) -> dict | None:
    return {"path": name} if re.fullmatch(r"[\w.]+:\w+", name) else None


def _nearest_depth(depth: int, rest: int) -> int:
    return 6 * max(1, round((depth - rest) / 6)) + rest


def _check(family: NetworkRow, name: str, nearest: str) -> None:
    if name != nearest:
        raise ValueError(
            f"network: expected {family.name}, received {name!r}; did you mean {nearest!r}?"
        )


_READERS = {
    RESNET.name: _read_resnet,
    WIDE_RESNET.name: _read_wide_resnet,
    PREACT_RESNET.name: _read_preact_resnet,
    GRU.name: _read_gru,
    APPLICATION.name: _read_application,
    SYNCHRONISED.name: _read_synchronised,
    OWN.name: _read_own,
}
