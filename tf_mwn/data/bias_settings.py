"""The settings of a data bias, checked on their own before any data is loaded."""

import dataclasses

import numpy as np

from tf_mwn.data.checks import check_integer, check_name
from tf_mwn.data.imbalance import IMBALANCE_KINDS
from tf_mwn.data.noise import NOISE_KINDS

VALIDATION_LABELS = ("noisy", "clean")


@dataclasses.dataclass(frozen=True)
class BiasSettings:
    """How a source is biased.

    Attributes:
        noise: One of `NOISE_KINDS`.
        noise_rate: Nominal noise rate in [0, 1].
        imbalance: One of `IMBALANCE_KINDS`.
        imbalance_factor: Largest over smallest class count; 1 leaves the classes as they are.
        label_file: File of the labels to train on, instead of synthetic noise.
        meta_size: Clean meta examples in all, as many of each class.
        validation_size: Examples held out of the biased training part for selection.
        validation_labels: "noisy" for the bias of the training part, or "clean".
        train_size: Examples to keep of the training part before imbalance; None keeps all.

    Raises:
        TypeError, ValueError: A value out of range, or settings that exclude each other.
    """

    noise: str = "none"
    noise_rate: float = 0.0
    imbalance: str = "long_tailed"
    imbalance_factor: float = 1.0
    label_file: str | None = None
    meta_size: int = 100
    validation_size: int = 0
    validation_labels: str = "noisy"
    train_size: int | None = None

    def __post_init__(self):
        check_name("noise", self.noise, NOISE_KINDS)
        check_name("imbalance", self.imbalance, IMBALANCE_KINDS)
        check_name("validation_labels", self.validation_labels, VALIDATION_LABELS)
        check_integer("meta_size", self.meta_size, 1)
        check_integer("validation_size", self.validation_size, 0)
        if self.train_size is not None:
            check_integer("train_size", self.train_size, 1)
        _check_range("noise_rate", self.noise_rate, 0.0, 1.0)
        _check_range("imbalance_factor", self.imbalance_factor, 1.0, np.finfo(float).max)
        self._check_combinations()

    def _check_combinations(self) -> None:
        if self.noise == "none" and self.noise_rate > 0:
            raise ValueError(
                f"expected --noise together with --noise_rate={self.noise_rate:g}, "
                "received --noise=none"
            )
        if self.noise != "none" and self.label_file is not None:
            raise ValueError(
                f"expected one of --label_file and --noise, received --noise={self.noise} too"
            )
        if self.validation_labels == "clean" and self.validation_size == 0:
            raise ValueError(
                "expected --validation_size above 0 with --validation_labels=clean, received 0"
            )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"expected {name} to be a number, received {value!r}")
    if not low <= value <= high:
        bounds = f"in [{low:g}, {high:g}]" if high <= 1.0 else f"finite and at least {low:g}"
        raise ValueError(f"expected {name} {bounds}, received {value}")
