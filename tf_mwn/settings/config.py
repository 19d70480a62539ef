"""Every setting of a run: its data, the training of the classifier, and its execution.

The options of the bias are stated with the bias, those of a method with the method. Every option
becomes a flag of the command line.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_mwn.checks import AT_LEAST_ONE, FRACTION, NON_NEGATIVE, POSITIVE, UNIT, Interval
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.images.lists import FITTING_SIDE
from tf_mwn.data.sources.naming import KINDS
from tf_mwn.engine.meta_schedule import every_kth, meta_schedule
from tf_mwn.engine.options import FUSED_BATCH_NORM
from tf_mwn.methods import registry
from tf_mwn.networks import FAMILIES, NETWORKS, check_network
from tf_mwn.options import Option, options_of, settings_class
from tf_mwn.training.options import SHARED, parse_target_shares

DATA = (
    Option(
        "dataset",
        "digits",
        None,
        f"The data: {KINDS}. A path that exists is preferred to a set of the same name.",
        is_path=True,
    ),
    Option(
        "meta",
        None,
        None,
        "Clean examples that are not in --dataset: a folder, a CSV file or an .npz file, in the "
        "same layouts. Classes are matched by name.",
        kind=str,
        is_path=True,
    ),
    Option(
        "label_column",
        None,
        None,
        "Column of the labels of a CSV table, whose other columns are features (or one is tokens).",
        kind=str,
    ),
    Option(
        "image_size",
        None,
        Interval(8),
        "Height and width to which images in files are resized, once. By default they keep their "
        "size. In data of your own, images that differ in size, or are large, become at most "
        f"{FITTING_SIDE}x{FITTING_SIDE}.",
        kind=int,
    ),
    Option(
        "stream",
        "auto",
        ("auto", "on", "off"),
        "Decode images in files batch by batch instead of keeping them in memory.",
    ),
    Option("train_list", "noisy", ("noisy", "clean"), "List of Clothing1M to train on."),
    Option(
        "meta_sampling",
        "uniform",
        ("uniform", "by_class"),
        "How meta batches are drawn: every meta example equally often, or every class.",
    ),
    Option(
        "augment",
        "none",
        ("none", "crop_flip"),
        "Augmentation of training and meta images. crop_flip is a crop after reflection "
        "padding and a horizontal flip.",
    ),
)
# Learning rates to start from, by the optimizer.
LEARNING_RATES = {"sgd": 0.1, "adam": 1e-3, "adamw": 1e-3}
TRAINING = (
    Option(
        "network",
        "small_cnn",
        None,
        f"Network of the classifier: {', '.join([*NETWORKS, *(f.name for f in FAMILIES)])}. "
        "The last form is your own function of (input_shape, num_classes).",
    ),
    Option(
        "network_weights",
        None,
        None,
        "Pretrained weights: a file, or imagenet for applications/<Name>.",
        kind=str,
        names_file=True,
    ),
    Option("epochs", 60, AT_LEAST_ONE, "Number of training epochs."),
    Option("batch_size", 100, AT_LEAST_ONE, "Global batch size, summed over all devices."),
    Option(
        "optimizer",
        "sgd",
        tuple(LEARNING_RATES),
        "Optimizer of the classifier. If it is not the recipe's, --learning_rate has the default "
        "of the optimizer: 0.001 for adam and adamw.",
    ),
    Option(
        "learning_rate",
        LEARNING_RATES["sgd"],
        POSITIVE,
        "Initial learning rate of the classifier.",
        grid=(0.01, 0.03, 0.1, 0.3),
    ),
    Option(
        "decay_epochs",
        (),
        AT_LEAST_ONE,
        "Epochs, separated by commas, after which the learning rate is multiplied by "
        "--decay_factor.",
        kind=int,
    ),
    Option("decay_factor", 0.1, FRACTION, "Factor on the learning rate at each of --decay_epochs."),
    Option("momentum", 0.9, UNIT, "Momentum of the classifier's optimizer, for sgd."),
    Option("nesterov", False, None, "Use Nesterov momentum, for sgd."),
    Option(
        "weight_decay",
        5e-4,
        NON_NEGATIVE,
        "Weight decay of the classifier. It is added to the gradient, except with adamw.",
    ),
)
EXECUTION = (
    Option(
        "precision",
        "float32",
        ("float32", "mixed_bfloat16", "mixed_float16"),
        "Precision of the network. Losses, weights and meta gradients stay in float32.",
    ),
    Option(
        "jit_compile",
        "auto",
        ("auto", "true", "false"),
        "Compile the training step with XLA. auto does so only on a GPU, and never with max "
        "pooling.",
    ),
    FUSED_BATCH_NORM,
    Option(
        "deterministic",
        True,
        None,
        "Use deterministic operations: the same seed gives the same bits.",
    ),
    Option(
        "strategy",
        "none",
        ("none", "mirrored", "multi_worker"),
        "Devices to train on: none is one device, mirrored all devices of this machine, "
        "multi_worker all devices of the machines in TF_CONFIG.",
    ),
    Option(
        "devices",
        1,
        AT_LEAST_ONE,
        "Number of logical CPU devices for --strategy=mirrored where there is no GPU.",
    ),
)
_OWN = (*DATA, *TRAINING, *SHARED, *EXECUTION)


class Config(settings_class("Settings", (*registry.OPTIONS.values(), *_OWN), (BiasSettings,))):
    """The settings of one run, apart from its method and seed. Validated on construction."""

    def __post_init__(self):
        super().__post_init__()
        check_network(self.network)
        meta_schedule(self.speed, self.meta_interval, self.meta_fraction, self.reuse_gradient)
        every_kth(self.robust_meta_fraction, "robust_meta_fraction")
        parse_target_shares(self.target_shares)
        if self.virtual_step == "optimizer" and self.optimizer != "sgd":
            raise ValueError(
                f"virtual_step: expected 'optimizer' only with --optimizer=sgd, received it with "
                f"{self.optimizer}"
            )
        if self.devices > 1 and self.strategy != "mirrored":
            raise ValueError(
                f"devices: expected 1 with strategy {self.strategy}, received {self.devices}; "
                "pass --strategy=mirrored"
            )

    def to_json(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}

    def file_digests(self) -> dict[str, str]:
        """SHA-256 of each file that a setting names, by setting. Other values are left out."""
        named = {
            option.name: getattr(self, option.name)
            for option in SETTINGS.values()
            if option.names_file
        }
        return {
            name: hashlib.sha256(Path(path).read_bytes()).hexdigest()
            for name, path in named.items()
            if path is not None and Path(path).is_file()
        }

    def differences(self, other: "Config") -> dict[str, Any]:
        """The settings of `self` whose value differs from that in `other`."""
        return {k: v for k, v in self.to_json().items() if v != other.to_json()[k]}


# Every setting, by name.
SETTINGS: Mapping[str, Option] = options_of(Config)
# What was done before a setting existed, where that is not its default.
_BEFORE: Mapping[str, Any] = {FUSED_BATCH_NORM.name: "off"}


def completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run, perhaps of an older version, as they decide it.

    A setting that did not exist then has the value that means what was done before: its default,
    except for `_BEFORE`. "auto" is what it stands for.
    """
    if "held_back" not in settings:  # `fine_tuning` was a method with phases of its own
        settings = {**settings, "fine_tuning_epochs": None}
        if settings.get("speed") == "fast":  # it reused the gradient of the whole batch
            settings["speed"] = "fast, before meta_fraction"
    defaults = {name: option.default for name, option in SETTINGS.items()} | _BEFORE
    settings = {**defaults, **settings}
    if settings["virtual_step"] == "auto":
        is_sgd = settings["optimizer"] == "sgd"
        settings["virtual_step"] = "plain" if is_sgd else "preconditioned"
    network = NETWORKS.get(settings["network"])
    if network is not None and not network.batch_norm:
        settings["fused_batch_norm"] = "off"  # whatever it is, it changes nothing
    return settings


def digest(settings: Mapping[str, Any]) -> str:
    """Six hexadecimal digits that name a set of overridden settings."""
    text = json.dumps(dict(sorted(settings.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:6]
