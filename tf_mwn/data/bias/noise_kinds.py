"""The kinds of label noise, one row each, with the transition matrices of most of them.

T[i, j] = P(noisy label j | true label i). Kinds without a matrix make a label wrong with a
probability that depends on its input; see `tf_mwn.data.bias.instance_noise` and
`tf_mwn.data.bias.feature_noise`.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class NoiseKind:
    """One kind of label noise.

    Attributes:
        name: what `--noise` calls it.
        title: one line: what becomes of the labels at rate r, and whose definition it is.
        matrix: (rate, num_classes, **needs) -> [C, C], or None where labels depend on inputs.
        needs: what it takes besides the rate: "coarse" ([C] superclasses of the source), "target"
            (a class), "matrix" ([C, C] of a file), "inputs" or "probabilities" ([N, C] of a file).
        least_classes: fewest classes it is defined for.
        num_classes: the number of classes it is defined for; None for any.
    """

    name: str
    title: str
    matrix: Callable[..., np.ndarray] | None
    needs: tuple[str, ...] = ()
    least_classes: int = 2
    num_classes: int | None = None


def _none(rate: float, num_classes: int) -> np.ndarray:
    return np.eye(num_classes)


def _uniform(rate: float, num_classes: int) -> np.ndarray:
    return rate / num_classes + (1.0 - rate) * np.eye(num_classes)


def _without_last(rate: float, num_classes: int) -> np.ndarray:
    redrawn = np.append(np.full(num_classes - 1, 1.0 / (num_classes - 1)), 0.0)
    return rate * redrawn + (1.0 - rate) * np.eye(num_classes)


def _symmetric(rate: float, num_classes: int) -> np.ndarray:
    identity = np.eye(num_classes)
    return rate / (num_classes - 1) * (1.0 - identity) + (1.0 - rate) * identity


def flip_targets(num_targets: int, num_classes: int) -> np.ndarray:
    """Returns the classes that each class flips to, int64 [C, num_targets].

    They belong to the protocol, not to the run. They are always drawn from seed 1 of NumPy's legacy
    generator, whose streams are frozen, class by class over the other classes.
    """
    rng = np.random.RandomState(1)
    rows = []
    for true in range(num_classes):
        others = np.delete(np.arange(num_classes), true)
        # One target is drawn as a scalar: `choice` without replacement has another stream.
        drawn = rng.choice(others) if num_targets == 1 else rng.choice(others, 2, replace=False)
        rows.append(np.atleast_1d(drawn))
    return np.stack(rows).astype(np.int64)


def _flips(num_targets: int) -> Callable[..., np.ndarray]:
    def matrix(rate, num_classes):
        result = (1.0 - rate) * np.eye(num_classes)
        for true, targets in enumerate(flip_targets(num_targets, num_classes)):
            result[true, targets] = rate / num_targets
        return result

    return matrix


def moved(rate: float, targets: np.ndarray) -> np.ndarray:
    """Returns the matrix that moves each class to its target [C]; a class may be its own target."""
    identity = np.eye(len(targets))
    return (1.0 - rate) * identity + rate * identity[targets]


def _next_class(rate: float, num_classes: int) -> np.ndarray:
    return moved(rate, (np.arange(num_classes) + 1) % num_classes)


def _next_of_block(rate: float, num_classes: int) -> np.ndarray:
    classes = np.arange(num_classes)
    return moved(rate, 5 * (classes // 5) + (classes % 5 + 1) % 5)


# CIFAR-10: truck to automobile, bird to airplane, deer to horse, cat to dog; and dog to cat.
_ONE_WAY = {9: 1, 2: 0, 4: 7, 3: 5}
_BOTH_WAYS = {**_ONE_WAY, 5: 3}


def _lookalikes(pairs: dict[int, int]) -> Callable[..., np.ndarray]:
    def matrix(rate, num_classes):
        return moved(rate, np.array([pairs.get(label, label) for label in range(num_classes)]))

    return matrix


def _hierarchical(rate: float, num_classes: int, coarse: np.ndarray) -> np.ndarray:
    siblings = (coarse[:, None] == coarse) & ~np.eye(num_classes, dtype=bool)
    counts = siblings.sum(axis=1, keepdims=True)
    stay = np.where(counts > 0, 1.0 - rate, 1.0) * np.eye(num_classes)
    return stay + rate * siblings / np.maximum(counts, 1)


def _background(rate: float, num_classes: int, target: int) -> np.ndarray:
    return moved(rate, np.full(num_classes, target))


def _given(rate: float, num_classes: int, matrix: np.ndarray) -> np.ndarray:
    return matrix


_ROWS = (
    NoiseKind("none", "labels as the source gives them", _none),
    NoiseKind("uniform", "redrawn over all classes, the true one included (MW-Net)", _uniform),
    NoiseKind("symmetric", "moved to each other class with r/(C-1) (Patrini et al.)", _symmetric),
    NoiseKind("flip", "moved to one other class, the same in every run (MW-Net)", _flips(1)),
    NoiseKind(
        "flip2", "moved to two others with r/2 each (MW-Net, Table 3)", _flips(2), least_classes=3
    ),
    NoiseKind(
        "pairflip", "moved to the next class, the last to the first (Co-teaching)", _next_class
    ),
    NoiseKind(
        "asymmetric",
        "CIFAR-10 look-alikes 9>1, 2>0, 4>7, 3>5, 5>3 (Patrini et al.)",
        _lookalikes(_BOTH_WAYS),
        num_classes=10,
    ),
    NoiseKind(
        "asymmetric_one_way",
        "CIFAR-10 look-alikes 9>1, 2>0, 4>7, 3>5, without 5>3 (MSPL, NARL)",
        _lookalikes(_ONE_WAY),
        num_classes=10,
    ),
    NoiseKind(
        "asymmetric_blocks",
        "CIFAR-100, next of 5 consecutive classes, which are no superclasses (Patrini et al.)",
        _next_of_block,
        num_classes=100,
    ),
    NoiseKind(
        "hierarchical",
        "spread over the other classes of the superclass (MW-Net); CIFAR-100 has them",
        _hierarchical,
        needs=("coarse",),
    ),
    NoiseKind("background", "all moved to one class (L2RW)", _background, needs=("target",)),
    NoiseKind(
        "uniform_without_last",
        "redrawn over all classes but the last, as L2RW's generator does",
        _without_last,
    ),
    NoiseKind("matrix", "drawn from the matrix in --noise_matrix", _given, needs=("matrix",)),
    NoiseKind(
        "instance",
        "flipped with a probability and to a class that depend on the image (Xia et al.)",
        None,
        needs=("inputs",),
    ),
    *(
        NoiseKind(
            f"feature{number}",
            f"between the two likeliest of --noise_probabilities, type {number * 'I'} (PMD)",
            None,
            needs=("probabilities",),
        )
        for number in (1, 2, 3)
    ),
)

NOISE_KINDS = {row.name: row for row in _ROWS}
FEATURE_KINDS = ("feature1", "feature2", "feature3")
# The kinds that a meta set may have: a rate and facts of the source describe them.
META_NOISE_KINDS = tuple(
    row.name for row in _ROWS if row.matrix is not None and "matrix" not in row.needs
)
