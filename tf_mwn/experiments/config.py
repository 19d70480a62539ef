"""Every setting of a run, once: its type, default, range and help text.

The command line is made from these fields, so a field is a flag.
"""

import dataclasses
import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

from tf_mwn.data import bias_settings
from tf_mwn.data.bias_settings import BiasSettings
from tf_mwn.engine import VIRTUAL_STEPS
from tf_mwn.meta_learners import NORMALIZATIONS
from tf_mwn.names import unknown_name
from tf_mwn.networks import FAMILIES, NETWORKS, check_network


def _setting(default, help, *, choices=None, least=None, most=None, above=None):  # noqa: A002
    metadata = {"help": help, "choices": choices, "least": least, "most": most, "above": above}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Config(BiasSettings):
    """The settings of one run, apart from its method and seed. Validated on construction.

    The bias of the data, from `noise` to `train_size`, is inherited.
    """

    dataset: str = _setting(
        "digits",
        "digits; an .npz (x, y, ...); a CSV path,label; a folder with one folder of images per "
        "class; Clothing1M's folder; or a TFDS image-classification set.",
    )
    image_size: int | None = _setting(
        None,
        "Side to which images in files are resized, once; unchanged by default.",
        least=8,
    )
    stream: str = _setting(
        "auto",
        "Decode images in files batch by batch instead of keeping them in memory.",
        choices=("auto", "on", "off"),
    )
    train_list: str = _setting(
        "noisy", "List of Clothing1M to train on.", choices=("noisy", "clean")
    )
    augment: str = _setting(
        "none",
        "Augmentation of training and meta images: reflect-pad crop and horizontal flip.",
        choices=("none", "crop_flip"),
    )
    # Classifier and its optimizer.
    network: str = _setting(
        "small_cnn",
        f"Classifier: {', '.join([*NETWORKS, *(row.name for row in FAMILIES)])}; the last is your "
        "own function of (input_shape, num_classes).",
    )
    network_weights: str | None = _setting(
        None, "Pretrained weights: a file, or imagenet for applications/<Name>."
    )
    epochs: int = _setting(60, "Epochs to train.", least=1)
    batch_size: int = _setting(100, "Global batch size.", least=1)
    learning_rate: float = _setting(0.1, "Initial learning rate of the classifier.", above=0)
    decay_epochs: tuple[int, ...] = _setting(
        (), "Epochs after which the learning rate is multiplied by decay_factor.", least=1
    )
    decay_factor: float = _setting(0.1, "Learning-rate multiplier.", above=0, most=1)
    momentum: float = _setting(0.9, "Momentum.", least=0, most=1)
    nesterov: bool = _setting(False, "Nesterov momentum.")
    weight_decay: float = _setting(5e-4, "Weight decay, added to the gradient.", least=0)
    # Methods.
    weight_net_units: tuple[int, ...] = _setting(
        (100,), "Hidden layer sizes of the weight net.", least=1
    )
    weight_normalization: str = _setting(
        "none", "How weights enter the training loss.", choices=NORMALIZATIONS
    )
    virtual_variables: str = _setting(
        "all", "What the virtual step moves.", choices=("all", "head")
    )
    virtual_step: str = _setting(
        "plain",
        "Virtual SGD step: plain, or with the optimizer's momentum and weight decay.",
        choices=VIRTUAL_STEPS,
    )
    meta_interval: int = _setting(1, "Meta update every k-th step.", least=1)
    detach_loss: bool = _setting(True, "The weight net's input is constant in the gradient.")
    meta_batch_size: int | None = _setting(
        None, "Meta batch size; the batch size (or the meta set, if smaller) by default.", least=1
    )
    meta_optimizer: str = _setting("adam", "Optimizer of Θ.", choices=("adam", "sgd"))
    meta_learning_rate: float = _setting(1e-3, "Learning rate of Θ.", above=0)
    meta_weight_decay: float = _setting(0.0, "Weight decay of Θ, added to the gradient.", least=0)
    # Execution.
    precision: str = _setting(
        "float32", "Precision of the network.", choices=("float32", "mixed_bfloat16")
    )
    jit_compile: str = _setting(
        "auto", "XLA; auto: only on a GPU, never with max pooling.", choices=("auto", "on", "off")
    )
    deterministic: bool = _setting(True, "Deterministic operations: same seed, same bits.")
    strategy: str = _setting("none", "Devices: one, or all mirrored.", choices=("none", "mirrored"))
    devices: int = _setting(1, "Logical CPU devices to mirror over, if there is no GPU.", least=1)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field, getattr(self, field.name)))
        super().__post_init__()
        check_network(self.network)
        if self.devices > 1 and self.strategy == "none":
            raise ValueError(
                f"devices: expected 1 with strategy none, received {self.devices}; "
                "pass --strategy=mirrored"
            )

    def to_json(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}

    def differences(self, other: "Config") -> dict[str, Any]:
        """The settings of `self` that `other` has otherwise."""
        return {k: v for k, v in self.to_json().items() if v != other.to_json()[k]}


def description(field: dataclasses.Field) -> str:
    """What a setting means; that of an inherited one is in the docstring of `BiasSettings`."""
    if "help" in field.metadata:
        choices = field.metadata["choices"]
        return field.metadata["help"] + (f" One of: {', '.join(choices)}." if choices else "")
    text = inspect.getdoc(BiasSettings).split("Attributes:")[1].split("Raises:")[0]
    entries = dict(re.findall(r"^    (\w+): (.*(?:\n      .*)*)", text, re.MULTILINE))
    words = " ".join(entries[field.name].split())
    for name in re.findall(r"`([A-Z_]+)`", words):
        words = words.replace(f"`{name}`", ", ".join(getattr(bias_settings, name)))
    return words


def digest(settings: Mapping[str, Any]) -> str:
    """Six hexadecimal digits that name a set of overridden settings."""
    text = json.dumps(dict(sorted(settings.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _checked(field: dataclasses.Field, value):
    """`value` as the field's type, or a TypeError or ValueError that names the setting."""
    kind, optional, many = scalar_type(field.type)
    if value is None and optional:
        return None
    if not many:
        return _checked_scalar(field, kind, value)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{field.name}: expected a list, received {value!r}")
    return tuple(_checked_scalar(field, kind, item) for item in value)


def scalar_type(annotation) -> tuple[type, bool, bool]:
    """(scalar type, may be None, is a tuple) of a field's annotation."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    for kind in (bool, int, float, str):
        if kind.__name__ in text:
            return kind, "None" in text, "tuple" in text
    raise TypeError(f"no such kind of setting: {annotation}")


def _checked_scalar(field: dataclasses.Field, kind: type, value):
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise TypeError(f"{field.name}: expected {kind.__name__}, received {value!r}")
    limits = field.metadata
    if not limits:
        return value  # inherited: `BiasSettings` checks it
    if limits["choices"] and value not in limits["choices"]:
        raise ValueError(unknown_name(field.name, value, limits["choices"]))
    sentence = {"least": "at least {}", "most": "at most {}", "above": "more than {}"}
    for key, holds in (
        ("least", lambda limit: value >= limit),
        ("most", lambda limit: value <= limit),
        ("above", lambda limit: value > limit),
    ):
        if limits[key] is not None and not holds(limits[key]):
            wanted = sentence[key].format(limits[key])
            raise ValueError(f"{field.name}: expected a value of {wanted}, received {value}")
    return value
