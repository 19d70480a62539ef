"""The result of an audit."""

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.auditing import files
from tf_mwn.auditing.rankings import cleanlab_scores, found
from tf_mwn.auditing.reliability import Reliability


@dataclasses.dataclass(frozen=True)
class Audit:
    """The audit of N labels of C classes by a trained model.

    Attributes:
        x: the inputs, for the contact sheet.
        sample_id: [N] identifiers of the examples.
        label: [N] given labels.
        predicted: [N] classes that the classifier predicts.
        suggested: [N] likeliest true classes, given input and label; None if the classifier is too
            weak to judge, see `Reliability.too_weak`.
        loss: [N] cross-entropy of the given labels.
        weight: [N] weights that the model's method gives the examples, or None if it gives none.
        log_odds: [N] log P(label is right) / P(label is wrong), by which examples are ranked.
        transition_matrix: [C, C] estimate of P(given j | true i).
        class_shares: [C] estimated shares of the true classes.
        matrix_from: what the matrix was estimated from, "training labels" or "meta set".
        probabilities: [N, C] of the classifier.
        class_names: C names.
        reliability: what the audit would find of errors planted in the meta set; None without one.
        clean_label: [N] true labels, or None if they are not known.
        path: [N] names of the files, or None if the inputs are not read from files.
        held_out: [N] whether an example was held out for testing, so that the classifier was not
            trained on it and its weight is NaN; None if no such examples were audited.
    """

    x: Any
    sample_id: np.ndarray
    label: np.ndarray
    predicted: np.ndarray
    suggested: np.ndarray | None
    loss: np.ndarray
    weight: np.ndarray | None
    log_odds: np.ndarray
    transition_matrix: np.ndarray
    class_shares: np.ndarray
    matrix_from: str
    probabilities: np.ndarray
    class_names: tuple[str, ...]
    reliability: Reliability | None = None
    clean_label: np.ndarray | None = None
    path: np.ndarray | None = None
    held_out: np.ndarray | None = None

    @cached_property
    def trust(self) -> np.ndarray:
        """[N] P(label is right), in [0, 1]."""
        from scipy.special import expit

        return expit(self.log_odds)

    @cached_property
    def order(self) -> np.ndarray:
        """[N] positions of the examples, the most suspect first."""
        return np.argsort(self.log_odds, kind="stable")

    @cached_property
    def suspects(self) -> np.ndarray:
        """Positions of the examples whose label is more likely wrong than right, worst first."""
        return self.order[: int((self.log_odds < 0).sum())]

    @cached_property
    def _joint(self) -> np.ndarray:
        """[C, C] estimated share of the examples with true class i and given label j."""
        return self.class_shares[:, np.newaxis] * self.transition_matrix

    @property
    def noise_rate(self) -> float:
        """Estimated share of wrong labels, by the transition matrix."""
        return float(1 - np.trace(self._joint))

    @property
    def class_noise(self) -> np.ndarray:
        """[C] estimated share of wrong labels among the labels j, by the transition matrix."""
        return 1 - np.diag(self._joint) / self._joint.sum(axis=0)

    def comparison(self) -> dict[str, dict[str, float | None]]:
        """Precision, recall and AUC of each ranking against the clean labels; see `found`.

        Precision and recall are those of the first K examples, where K is the number of wrong
        labels, so that both are equal. The entry "suspects" takes the suspects instead. Empty if
        clean labels are not known.
        """
        if self.clean_label is None:
            return {}
        is_wrong = self.label != self.clean_label
        size = int(is_wrong.sum())
        scores = {"trust": self.log_odds, "loss": -self.loss}
        if self.weight is not None:
            scores["weight"] = self.weight
        scores.update(cleanlab_scores(self.probabilities, self.label))
        table = {name: found(values, is_wrong, size) for name, values in scores.items()}
        return {**table, "suspects": found(self.log_odds, is_wrong, len(self.suspects))}

    def write(self, folder: str | Path, images: int = 48, title: str = "Audit") -> list[Path]:
        """Writes suspects.csv, audit.json, audit.html and, for images, contact_sheet.png.

        suspects.csv holds every example, the most suspect first. audit.html, under the heading
        `title`, is the page to review them. contact_sheet.png shows the first `images` of them; 0
        writes none.

        Returns:
            The paths written.
        """
        return files.write(self, folder, images, title)

    def __str__(self) -> str:
        return files.summary(self)
