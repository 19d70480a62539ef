"""Every setting of a run, once: its type, default, range and help text.

The command line is made from these fields, so a field is a flag.
"""

import dataclasses
import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_mwn.data.bias import settings as bias
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.engine.pace import pace
from tf_mwn.networks import FAMILIES, NETWORKS, check_network
from tf_mwn.settings.method_settings import MethodSettings
from tf_mwn.settings.setting import checked, scalar_type, setting
from tf_mwn.settings.settings_baselines import BaselinesSettings
from tf_mwn.settings.settings_correction import CorrectionSettings
from tf_mwn.settings.settings_hyper_parameters import HyperParametersSettings
from tf_mwn.settings.settings_mentor import MentorSettings
from tf_mwn.settings.settings_reweighting import ReweightingSettings
from tf_mwn.settings.settings_teaching import TeachingSettings

__all__ = ["Config", "description", "digest", "scalar_type"]


@dataclasses.dataclass(frozen=True)
class Config(
    BiasSettings,
    TeachingSettings,
    HyperParametersSettings,
    CorrectionSettings,
    BaselinesSettings,
    MentorSettings,
    ReweightingSettings,
    MethodSettings,
):
    """The settings of one run, apart from its method and seed. Validated on construction.

    The bias of the data and the options of the methods are inherited.
    """

    dataset: str = setting(
        "digits",
        "digits; an .npz (x, y, ...); a CSV path,label; a folder with one folder of images per "
        "class; Clothing1M's folder; or a TFDS image-classification set.",
    )
    image_size: int | None = setting(
        None,
        "Side to which images in files are resized, once; unchanged by default.",
        least=8,
    )
    stream: str = setting(
        "auto",
        "Decode images in files batch by batch instead of keeping them in memory.",
        choices=("auto", "on", "off"),
    )
    train_list: str = setting(
        "noisy", "List of Clothing1M to train on.", choices=("noisy", "clean")
    )
    augment: str = setting(
        "none",
        "Augmentation of training and meta images: reflect-pad crop and horizontal flip.",
        choices=("none", "crop_flip"),
    )
    # Classifier and its optimizer.
    network: str = setting(
        "small_cnn",
        f"Classifier: {', '.join([*NETWORKS, *(row.name for row in FAMILIES)])}; the last is your "
        "own function of (input_shape, num_classes).",
    )
    network_weights: str | None = setting(
        None,
        "Pretrained weights: a file, or imagenet for applications/<Name>.",
        names_file=True,
    )
    epochs: int = setting(60, "Epochs to train.", least=1)
    batch_size: int = setting(100, "Global batch size.", least=1)
    learning_rate: float = setting(0.1, "Initial learning rate of the classifier.", above=0)
    decay_epochs: tuple[int, ...] = setting(
        (), "Epochs after which the learning rate is multiplied by decay_factor.", least=1
    )
    decay_factor: float = setting(0.1, "Learning-rate multiplier.", above=0, most=1)
    momentum: float = setting(0.9, "Momentum.", least=0, most=1)
    nesterov: bool = setting(False, "Nesterov momentum.")
    weight_decay: float = setting(5e-4, "Weight decay, added to the gradient.", least=0)
    # Execution.
    precision: str = setting(
        "float32",
        "Precision of the network; losses, weights and meta gradients stay in float32.",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    jit_compile: str = setting(
        "auto",
        "XLA; auto: only on a GPU, never with max pooling.",
        choices=("auto", "true", "false"),
    )
    deterministic: bool = setting(True, "Deterministic operations: same seed, same bits.")
    strategy: str = setting(
        "none",
        "Devices: one; all of this machine; all of the machines in TF_CONFIG.",
        choices=("none", "mirrored", "multi_worker"),
    )
    devices: int = setting(1, "Logical CPU devices to mirror over, if there is no GPU.", least=1)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, checked(field, getattr(self, field.name)))
        super().__post_init__()
        check_network(self.network)
        pace(self.speed, self.meta_interval, self.reuse_gradient)
        if self.devices > 1 and self.strategy != "mirrored":
            raise ValueError(
                f"devices: expected 1 with strategy {self.strategy}, received {self.devices}; "
                "pass --strategy=mirrored"
            )

    def to_json(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}

    def file_digests(self) -> dict[str, str]:
        """SHA-256 of each file that a setting names, by setting; what is no file is left out."""
        named = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.metadata.get("names_file")
        }
        return {
            name: hashlib.sha256(Path(path).read_bytes()).hexdigest()
            for name, path in named.items()
            if path is not None and Path(path).is_file()
        }

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
        words = words.replace(f"`{name}`", ", ".join(getattr(bias, name)))
    return words


def digest(settings: Mapping[str, Any]) -> str:
    """Six hexadecimal digits that name a set of overridden settings."""
    text = json.dumps(dict(sorted(settings.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:6]
