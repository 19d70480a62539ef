"""The settings of a data bias, checked on their own before any data is loaded."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tf_mwn.checks import check_integer, check_name
from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS
from tf_mwn.data.bias.imbalance import IMBALANCE_KINDS
from tf_mwn.data.bias.noise import FEATURE_KINDS, META_NOISE_KINDS, NOISE_KINDS, NOISE_SAMPLINGS

VALIDATION_LABELS = ("noisy", "clean")


@dataclasses.dataclass(frozen=True)
class BiasSettings:
    """How a source is biased.

    Attributes:
        noise: One of `NOISE_KINDS`.
        noise_rate: Nominal noise rate in [0, 1].
        noise_sampling: One of `NOISE_SAMPLINGS`: whether the matrix holds in expectation, or to
            the last whole example in the training part (and, by itself, in the validation part).
        noise_matrix: File of the transition matrix of noise "matrix"; see `read_matrix`.
        noise_probabilities: File of the class probabilities that noise "feature1" to "feature3"
            follows; see `read_probabilities`. The launcher trains a model on clean labels for
            them where there is none.
        noise_factor: The published factor of those, instead of `noise_rate`.
        noise_target: The class that noise "background" moves labels to; None draws it by the seed.
        label_file: File of the labels to train on, instead of synthetic noise.
        open_set: Name or path of the source whose images replace some training images.
        open_set_rate: Fraction of the training images it replaces.
        data_noise: One of `DATA_NOISE_KINDS`.
        data_noise_rate: Fraction of the training images that it alters.
        imbalance: One of `IMBALANCE_KINDS`, of the training part and of the meta set.
        imbalance_factor: Largest over smallest class count; 1 leaves the classes as they are.
        meta_size: Meta examples in all.
        meta_noise: One of `META_NOISE_KINDS`: label noise in the meta set.
        meta_noise_rate: Its nominal rate.
        meta_imbalance_factor: Largest over smallest class share of the meta set; 1 is balanced.
        validation_size: Examples held out of the biased training part for selection.
        validation_labels: "noisy" for the bias of the training part, or "clean" for clean labels
            and unaltered images.
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
    noise_sampling: str = "expected"
    noise_matrix: str | None = None
    noise_probabilities: str | None = None
    noise_factor: float | None = None
    noise_target: int | None = None
    open_set: str | None = None
    open_set_rate: float = 0.0
    data_noise: str = "none"
    data_noise_rate: float = 0.0
    meta_noise: str = "none"
    meta_noise_rate: float = 0.0
    meta_imbalance_factor: float = 1.0

    def __post_init__(self):
        for name, valid in _CHOICES.items():
            check_name(name, getattr(self, name), valid)
        for name in ("noise_rate", "open_set_rate", "data_noise_rate", "meta_noise_rate"):
            _check_range(name, getattr(self, name), 0.0, 1.0)
        for name in ("imbalance_factor", "meta_imbalance_factor"):
            _check_range(name, getattr(self, name), 1.0, np.finfo(float).max)
        for name, smallest in (("meta_size", 1), ("validation_size", 0)):
            check_integer(name, getattr(self, name), smallest)
        if self.train_size is not None:
            check_integer("train_size", self.train_size, 1)
        if self.noise_target is not None:
            check_integer("noise_target", self.noise_target, 0)
        if self.noise_factor is not None:
            _check_range("noise_factor", self.noise_factor, 1e-6, np.finfo(float).max)
        for holds, expected, received in _combinations(self):
            if not holds:
                raise ValueError(f"expected {expected}, received {received}")


_CHOICES = {
    "noise": NOISE_KINDS,
    "noise_sampling": NOISE_SAMPLINGS,
    "imbalance": IMBALANCE_KINDS,
    "data_noise": DATA_NOISE_KINDS,
    "meta_noise": META_NOISE_KINDS,
    "validation_labels": VALIDATION_LABELS,
}


def _combinations(s: BiasSettings) -> Iterator[tuple[bool, str, str]]:
    """Yields what must hold between settings: whether it does, what is expected and received."""
    yield from _files(s)
    yield from _rates(s)
    background = "background" in (s.noise, s.meta_noise)
    yield (
        s.noise_target is None or background,
        f"--noise=background together with --noise_target={s.noise_target}",
        f"--noise={s.noise}",
    )
    drawn = NOISE_KINDS[s.noise].matrix is not None and (s.noise, s.meta_noise) != ("none", "none")
    yield (
        s.noise_sampling == "expected" or drawn,
        "a --noise with a transition matrix together with --noise_sampling=exact",
        f"--noise={s.noise}",
    )
    yield (
        s.validation_labels == "noisy" or s.validation_size > 0,
        "--validation_size above 0 with --validation_labels=clean",
        "0",
    )


def _files(s: BiasSettings) -> Iterator[tuple[bool, str, str]]:
    yield (
        s.noise == "none" or s.label_file is None,
        "one of --label_file and --noise",
        f"--noise={s.noise} too",
    )
    yield (
        s.noise == "matrix" or s.noise_matrix is None,
        f"--noise=matrix together with --noise_matrix={s.noise_matrix}",
        f"--noise={s.noise}",
    )
    yield (
        s.noise != "matrix" or s.noise_matrix is not None,
        "--noise_matrix=FILE together with --noise=matrix",
        "none",
    )
    feature = s.noise in FEATURE_KINDS
    yield (
        feature or s.noise_probabilities is None,
        f"--noise={', '.join(FEATURE_KINDS)} together with --noise_probabilities",
        f"--noise={s.noise}",
    )
    yield (
        feature or s.noise_factor is None,
        f"--noise={', '.join(FEATURE_KINDS)} together with --noise_factor={s.noise_factor}",
        f"--noise={s.noise}",
    )


def _rates(s: BiasSettings) -> Iterator[tuple[bool, str, str]]:
    for name in ("noise", "data_noise", "meta_noise", "open_set"):
        rate, kind = getattr(s, f"{name}_rate"), getattr(s, name)
        yield (
            rate == 0 or kind not in ("none", None),
            f"--{name} together with --{name}_rate={rate:g}",
            f"--{name}=none" if kind else f"no --{name}",
        )
    yield (
        s.noise != "matrix" or s.noise_rate == 0,
        "no --noise_rate with --noise=matrix, whose file holds the rates",
        f"--noise_rate={s.noise_rate:g}",
    )
    yield (
        s.noise_factor is None or s.noise_rate == 0,
        "one of --noise_rate and --noise_factor",
        f"--noise_rate={s.noise_rate:g} too",
    )
    yield (
        s.open_set_rate + s.data_noise_rate <= 1.0,
        "--open_set_rate and --data_noise_rate of at most 1 together",
        f"{s.open_set_rate + s.data_noise_rate:g}",
    )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"expected {name} to be a number, received {value!r}")
    if not low <= value <= high:
        bounds = f"in [{low:g}, {high:g}]" if high <= 1.0 else f"finite and at least {low:g}"
        raise ValueError(f"expected {name} {bounds}, received {value}")
