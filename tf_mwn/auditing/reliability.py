"""How far an audit can be believed, estimated on clean examples with planted errors."""

import dataclasses

import numpy as np

from tf_mwn.label_noise import transition


@dataclasses.dataclass(frozen=True)
class Reliability:
    """What the audit would find if the clean examples had labels as noisy as the training set's.

    Attributes:
        precision: share of the suspects whose label is wrong; None if there would be no suspect.
        precision_error: its standard error.
        right_suggestions: share of the suggested changes that name the true class; None if none
            would be suggested.
        right_suggestions_error: its standard error.
        noise_rate: share of planted errors.
        examples: number of clean examples.
        untested: classes without clean examples, whose labels this says nothing of.
    """

    precision: float | None
    precision_error: float | None
    right_suggestions: float | None
    right_suggestions_error: float | None
    noise_rate: float
    examples: int
    untested: tuple[int, ...] = ()

    @property
    def too_weak(self) -> bool:
        """Whether the classifier is too weak to judge the labels.

        It is if the suspects are no more often wrong than examples drawn at random: the noise rate
        is within two standard errors of their precision, or above it. It is also if fewer than half
        of the suggestions are right, as then whoever follows them puts in more wrong labels than
        right ones.
        """
        if self.precision is None:
            return False
        by_chance = self.precision - 2 * self.precision_error <= self.noise_rate
        return by_chance or (self.right_suggestions is not None and self.right_suggestions < 0.5)


def estimate_reliability(
    log_probabilities: np.ndarray,
    labels: np.ndarray,
    noise: transition.Estimate,
    shares: np.ndarray,
) -> Reliability:
    """Plants every possible error in every clean example, each as often as the noise would.

    The pair of a clean example of class i and a given label j counts planted[i, j] times. So
    nothing is drawn, and the standard errors are those of the choice of clean examples. An example
    counts by the share of its class in the training set.

    Two things make the training set look worse. Wrong labels that the classifier has learned by
    heart cannot be planted here; they are missed rather than mistaken, so that the precision
    suffers little. And a part of the noise may be errors of the classifier (`Estimate.planted`): at
    more noise any suspect is more often wrong. So the precision is to be compared with the noise
    rate, not with 1.

    Args:
        log_probabilities: calibrated, [M, C], of examples that the classifier was not trained on.
        labels: [M] their true classes.
        noise: what the audit ranks by, and errors are planted by.
        shares: [C] estimated shares of the true classes in the training set.
    """
    counts = np.bincount(labels, minlength=len(shares))
    by_example = shares[labels] / counts[labels]
    by_example = by_example / by_example.sum()
    totals = np.zeros((4, len(labels)))  # suspects, wrong ones; suggested changes, right ones
    for given in range(len(shares)):
        planted = np.full(len(labels), given)
        scores = transition.log_posterior(log_probabilities, noise.matrix, planted)
        suggested, wrong = scores.argmax(axis=1), labels != given
        suspect = transition.log_odds(scores, planted) < 0
        changed = suspect & (suggested != given)
        cases = suspect, suspect & wrong, changed, changed & (suggested == labels)
        totals += by_example * noise.planted[labels, given] * np.stack(cases)
    return Reliability(
        *_share_and_error(totals[1], totals[0]),
        *_share_and_error(totals[3], totals[2]),
        noise_rate=float(by_example @ (1 - noise.planted[labels, labels])),
        examples=len(labels),
        untested=tuple(np.flatnonzero(counts == 0).tolist()),
    )


def _share_and_error(part: np.ndarray, whole: np.ndarray) -> tuple:
    """Σ part / Σ whole, and the standard error of this ratio over examples [M] (delta method).

    Both are None if Σ whole is 0.
    """
    total = whole.sum()
    if total <= 0:
        return None, None
    share, size = part.sum() / total, len(part)
    if size < 2:
        return float(share), float("inf")
    residuals = part - share * whole
    return float(share), float(np.sqrt((residuals**2).sum() * size / (size - 1)) / total)
