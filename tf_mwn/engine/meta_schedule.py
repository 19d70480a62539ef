"""How often Θ is updated, and which gradient the classifier's step uses."""

from tf_mwn.engine.options import META_FRACTION, META_INTERVAL, REUSE_GRADIENT, SPEED

# A step costs 1.3 of plain training; docs/performance.md has what it loses.
_FAST = 5, True


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


def meta_schedule(speed: str, meta_interval: int, reuse_gradient: bool) -> tuple[int, bool]:
    """The interval in steps between two updates of Θ, and whether the virtual gradient is reused.

    Args:
        speed: "exact" keeps the other two as given; "fast" stands for 5 and True.
        meta_interval: at least 1.
        reuse_gradient: True or False.

    Raises:
        TypeError, ValueError: any of them is something else, or "fast" comes with the others.
    """
    meta_interval = META_INTERVAL.check(meta_interval)
    reuse_gradient = REUSE_GRADIENT.check(reuse_gradient)
    if SPEED.check(speed) == "exact":
        return meta_interval, reuse_gradient
    if meta_interval != 1 or reuse_gradient:
        raise ValueError(
            "speed: expected fast without meta_interval and reuse_gradient, which it sets, "
            f"received {meta_interval} and {reuse_gradient}"
        )
    return _FAST
