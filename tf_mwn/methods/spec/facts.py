"""Facts of the training set that a method may need before it is built."""

import dataclasses
from collections.abc import Mapping

import numpy as np


@dataclasses.dataclass(frozen=True)
class TrainingFacts:
    """Facts of one training set and one training.

    Attributes:
        num_classes: C.
        num_examples: N, training examples.
        class_counts: [C] training examples per given class.
        steps_per_epoch: optimizer steps in an epoch.
        epochs: epochs of one training of the classifier.
        num_sample_ids: one more than the largest `sample_id` of the training set.
        seed: of the run.
        target_shares: [C] shares of the classes where the classifier will be used; None for equal
            ones.
        noise_rate: nominal fraction of wrong labels; None if unknown.
        transition_matrix: [C, C] nominal P(given j | clean i); None if unknown.
    """

    num_classes: int
    num_examples: int
    class_counts: np.ndarray
    steps_per_epoch: int
    epochs: int
    num_sample_ids: int
    seed: int
    target_shares: np.ndarray | None = None
    noise_rate: float | None = None
    transition_matrix: np.ndarray | None = None


# The flags that supply a fact that may be missing.
SOURCES = {
    "noise_rate": "--noise and --noise_rate",
    "transition_matrix": "--noise and --noise_rate, or --noise_matrix",
}


def supply(
    method: str,
    names: tuple[str, ...],
    facts: TrainingFacts | None,
    instead: Mapping[str, str] | None = None,
) -> dict:
    """The named facts, as constructor arguments.

    Args:
        method: its name, for messages.
        names: of the facts that the method needs.
        facts: all known facts.
        instead: fact -> name of the option that may be given in its place.

    Raises:
        ValueError: a fact is not known; the message names the flag that supplies it.
    """
    if not names:
        return {}
    if facts is None:
        raise ValueError(
            f"{method}: expected facts of the training set ({', '.join(names)}), received none"
        )
    values = {name: getattr(facts, name) for name in names}
    for name, value in values.items():
        if value is None and name in SOURCES:
            source = SOURCES[name]
            if instead and name in instead:
                source += f", or --{instead[name]}"
            raise ValueError(f"{method}: expected a known {name}, received none; give {source}")
    return values
