"""How often Θ is updated, and which gradient the classifier's step uses."""

import dataclasses

from tf_mwn.engine.options import META_FRACTION, META_INTERVAL, REUSE_GRADIENT, SPEED

WARM_UP, LEARNING = "warm_up", "weighted"  # the phases of a training with a late start


def warm_up_lengths(epochs: int, start: float) -> dict[str, int]:
    """The epochs of `WARM_UP`, if there are any, and of `LEARNING`, at least 1, by name."""
    first = min(late_start(start, epochs), epochs - 1)
    return {**({WARM_UP: first} if first else {}), LEARNING: epochs - first}


def late_start(start: float, epochs: int) -> int:
    """The epochs before a start at this fraction of the training.

    A start inside (0, 1) leaves at least one epoch on either side, if there are two. 1 is never.
    """
    if not 0 < start < 1:
        return round(start * epochs)
    return min(max(round(start * epochs), 1), epochs - 1)


def every_kth(meta_fraction: float, name: str = META_FRACTION.name) -> int:
    """k, where a meta update learns from every k-th example of the batch: 1 for all of them.

    Raises:
        ValueError: a fraction that is not 1/k.
    """
    k = round(1 / META_FRACTION.check(meta_fraction))
    if abs(meta_fraction * k - 1) > 1e-6:
        raise ValueError(f"{name}: expected 1/k for a whole number k, received {meta_fraction}")
    return k


@dataclasses.dataclass(frozen=True)
class MetaSchedule:
    """When Θ is updated, and from what.

    Attributes:
        interval: steps between two updates; 0 for no update.
        every: an update learns from every `every`-th example of the batch.
        reuses: whether the classifier steps by the virtual gradient.
    """

    interval: int
    every: int
    reuses: bool


def meta_schedule(
    speed: str, meta_interval: int, meta_fraction: float, reuse_gradient: bool
) -> MetaSchedule:
    """The schedule that `speed` stands for; "exact" keeps the other three as given.

    Args:
        speed: one of `SPEED`.
        meta_interval: at least 0.
        meta_fraction: 1/k.
        reuse_gradient: True or False.

    Raises:
        TypeError, ValueError: any of them is something else, a part of the batch comes with a
            reused gradient, or another speed than "exact" with the others.
    """
    given = MetaSchedule(
        META_INTERVAL.check(meta_interval),
        every_kth(meta_fraction),
        REUSE_GRADIENT.check(reuse_gradient),
    )
    if given.every > 1 and given.reuses:
        raise ValueError(
            "reuse_gradient: expected False with meta_fraction below 1, whose virtual gradient "
            "is that of a part of the batch, received True"
        )
    if SPEED.check(speed) == "exact":
        return given
    if given != MetaSchedule(1, 1, False):
        raise ValueError(
            f"speed: expected {speed} without meta_interval, meta_fraction and reuse_gradient, "
            f"which it sets, received {meta_interval}, {meta_fraction} and {reuse_gradient}"
        )
    return _FAST


# docs/performance.md has what it costs and what it loses.
_FAST = MetaSchedule(5, 4, False)
