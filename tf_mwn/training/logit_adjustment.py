"""Logit adjustment: training on logits that are corrected by the class prior."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, POSITIVE
from tf_mwn.tensors import Logits, Tensor
from tf_mwn.training.classifiers import num_classes


def smoothed_shares(class_counts: Any) -> np.ndarray:
    """π_c = (n_c + 1)/(N + C), so that a class without examples has a finite logarithm.

    Args:
        class_counts: n, [C] with C >= 2, each at least 0; soft labels may make them fractions.

    Returns:
        π, float64 [C].

    Raises:
        ValueError: another shape, or values that are negative or not finite.
    """
    counts = np.asarray(class_counts, np.float64)
    if counts.ndim != 1 or len(counts) < 2:
        raise ValueError(
            "class_counts: expected one count for each of at least 2 classes, "
            f"received shape {list(counts.shape)}"
        )
    if not (np.isfinite(counts).all() and counts.min() >= 0):
        raise ValueError(f"class_counts: expected values in [0, inf), received {counts.min():g}")
    return (counts + 1) / (counts.sum() + len(counts))


class LogitAdjustment:
    """z -> z + τ ln(π/ρ), the logits that a training objective sees.

    A classifier that is trained on them predicts, by z itself, for data whose classes have the
    shares ρ instead of the shares π of the training set (τ = 1). Under noise and imbalance
    together, a large loss then means a doubtful label and not a rare class.

    Args:
        class_counts: training examples of each given class, [C] with C >= 2; one-hot and soft
            labels give their mass.
        strength: τ, at least 0; 1 is the exact correction.
        target_shares: ρ, [C] positive numbers, which need not sum to 1; None for equal shares.

    Raises:
        TypeError, ValueError: an argument outside its set.

    Examples:
        >>> adjustment = tf_mwn.LogitAdjustment(class_counts=[90, 10])
        >>> adjustment.offset.round(2)
        array([-0.11, -2.23])
        >>> model = tf_mwn.MetaWeightNet(classifier)
        >>> model.compile("sgd", logit_adjustment=1.0, class_counts=np.bincount(y))

    See Also:
        - `RobustModel.compile`: takes τ and the class counts.
        - `Robust`: corrects the logits by itself.

    References:
        Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, equation 10,
        https://arxiv.org/abs/2007.07314.
    """

    def __init__(
        self,
        class_counts: Sequence[float] | np.ndarray,
        strength: float = 1.0,
        target_shares: Sequence[float] | None = None,
    ):
        shares = smoothed_shares(class_counts)
        self.strength = NON_NEGATIVE.check("logit_adjustment", strength)
        log_ratio = np.log(shares)
        if target_shares is not None:
            log_ratio = log_ratio - np.log(_checked_targets(target_shares, len(shares)))
        self.class_counts = [float(count) for count in class_counts]
        self.target_shares = None if target_shares is None else list(map(float, target_shares))
        self._offset = self.strength * log_ratio

    @property
    def offset(self) -> np.ndarray:
        """τ ln(π/ρ), [C]."""
        return self._offset

    def offset_of(self, classifier: keras.Model) -> np.ndarray:
        """The offset of the classifier's logits: [C], or [1] where two classes have one logit.

        Raises:
            ValueError: a classifier of another number of logits.
        """
        logits, classes = num_classes(classifier), len(self._offset)
        if logits not in (None, classes) and (logits, classes) != (1, 2):
            raise ValueError(
                f"class_counts: expected {max(logits, 2)} counts, one for each class, "
                f"received {classes}"
            )
        return self._offset_of_width(logits or classes)

    def _offset_of_width(self, width: int) -> np.ndarray:
        return self._offset[1:] - self._offset[:1] if width == 1 else self._offset

    def __call__(self, logits: Logits) -> Tensor:
        """The adjusted logits, of the shape and type of `logits` [.., C], or [.., 1] of C = 2."""
        return logits + tf.constant(self._offset_of_width(logits.shape[-1]), logits.dtype)

    def undone(self, logits: Logits) -> Tensor:
        """The logits [.., C] that `logits` are after the adjustment."""
        return logits - tf.constant(self._offset_of_width(logits.shape[-1]), logits.dtype)

    def arguments(self) -> dict[str, Any]:
        """The arguments of `compile` that make it again."""
        return {
            "logit_adjustment": self.strength,
            "class_counts": self.class_counts,
            "target_shares": self.target_shares,
        }


def _checked_targets(shares: Sequence[float], classes: int) -> np.ndarray:
    shares = [POSITIVE.check("target_shares", share) for share in shares]
    if len(shares) != classes:
        raise ValueError(
            f"target_shares: expected {classes} numbers, one for each class, received {len(shares)}"
        )
    return np.asarray(shares) / np.sum(shares)
