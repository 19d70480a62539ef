"""Feature-dependent label noise: between the two classes that a model finds likeliest."""

import numpy as np

from tf_mwn.checks import POSITIVE, check_labels, check_name
from tf_mwn.data.bias.noise_kinds import FEATURE_KINDS

_BISECTIONS = 200


def feature_dependent_labels(
    probabilities: np.ndarray,
    clean: np.ndarray,
    kind: str,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    factor: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws labels of polynomial-margin-diminishing (PMD) noise.

    With u and s the likeliest and the second class of an example and m >= 0 the difference of
    their probabilities, the label is u with probability min(g(m) / factor, 1) and s otherwise:
    g is (1 + m^2) / 2 for "feature1", m^3 for "feature2", (m + m^2 + m^3) / 3 for "feature3".
    Source: Zhang et al., Learning with feature-dependent label noise, ICLR 2021.

    Args:
        probabilities: [N, C] class probabilities, as of a model trained on clean labels.
        clean: [N] true labels; they tell what is wrong, and set the factor for a given rate.
        kind: one of `FEATURE_KINDS`.
        rng: generator; N uniform numbers are drawn from it.
        rate: expected fraction of wrong labels in [0, 1], from which the factor follows.
        factor: the factor itself, above 0; exactly one of the two is given.

    Returns:
        [N] int64 labels, and [N] float64 probabilities that they are wrong.

    Raises:
        ValueError: a rate that no factor reaches, a factor that is not positive, neither or both.
    """
    check_name("noise", kind, FEATURE_KINDS)
    clean = check_labels("labels", clean, probabilities.shape[1])
    if (rate is None) == (factor is None):
        raise ValueError(
            f"rate: expected either a rate or a factor, received rate {rate} and factor {factor}"
        )
    if factor is not None:
        POSITIVE.check("noise_factor", factor)
    first, second, margin = likeliest_pair(probabilities)
    keep = _keep(kind, margin)
    scale = 1.0 / factor if rate is None else _scale(kind, keep, first, second, clean, rate)
    is_first = np.minimum(scale * keep, 1.0)
    label = np.where(rng.random(len(clean)) < is_first, first, second)
    return label, _wrong(is_first, first, second, clean)


def likeliest_pair(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the likeliest class, the second, and the margin between them, each [N]."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    rows = np.arange(len(probabilities))
    return first, second, probabilities[rows, first] - probabilities[rows, second]


def _keep(kind: str, margin: np.ndarray) -> np.ndarray:
    """Returns g(m), the probability to keep the likeliest class at factor 1."""
    if kind == "feature1":
        return (1.0 + margin**2) / 2.0
    if kind == "feature2":
        return margin**3
    return (margin + margin**2 + margin**3) / 3.0


def _wrong(is_first, first, second, clean) -> np.ndarray:
    right = np.where(clean == first, is_first, np.where(clean == second, 1.0 - is_first, 0.0))
    return 1.0 - right


def _scale(kind, keep, first, second, clean, rate: float) -> float:
    """Returns the 1 / factor at which a fraction `rate` of the labels is wrong in expectation."""

    def expected(scale):
        return _wrong(np.minimum(scale * keep, 1.0), first, second, clean).mean()

    low, high = 0.0, 1.0 / max(keep[keep > 0].min(initial=1.0), 1e-12)
    most, least = expected(low), expected(high)
    if not least <= rate <= most:
        raise ValueError(
            f"noise_rate: expected a value in [{least:.4f}, {most:.4f}] for noise {kind!r} with "
            f"these probabilities, received {rate}"
        )
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expected(middle) > rate else (low, middle)
    return (low + high) / 2.0
