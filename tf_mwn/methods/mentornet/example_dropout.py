"""Example dropout: at every step a random part of the batch gets no weight."""

import tensorflow as tf


def rates_by_percent(schedule: str) -> list[float]:
    """The dropout rate at each percent of training, [100].

    Args:
        schedule: pairs of a rate in [0, 1] and a whole percent of training; the percents add up to
            100. "0.5,17,0.05,83" is rate 0.5 for 17 % of training, then rate 0.05 for 83 %.

    Raises:
        ValueError: another text.
    """
    try:
        parts = schedule.split(",")
        rates, lengths = [float(r) for r in parts[::2]], [int(n) for n in parts[1::2]]
        pairs = list(zip(rates, lengths, strict=True))
    except (AttributeError, ValueError):
        rates, lengths, pairs = [], [], []
    if sum(lengths) != 100 or min(lengths) < 0 or not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(
            "example_dropout: expected rates and percents of training as in '0.5,17,0.05,83', "
            f"rates in [0, 1] and percents that add up to 100, received {schedule!r}"
        )
    return [rate for rate, length in pairs for _ in range(length)]


def kept(drawn: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    """Selects the int(n (1 - r)) examples with the smallest random numbers.

    Args:
        drawn: random integers [n] of the global batch. The first of equal numbers is the smaller.
        rate: r in [0, 1], float64 scalar.

    Returns:
        Booleans [n], of which exactly int(n (1 - r)) are true.
    """
    size = tf.cast(tf.size(drawn), tf.float64)
    # A rounding error may put the product below a whole number: 100 (1 - 0.9).
    number = tf.cast(tf.floor(size * (1 - rate) + 1e-6), tf.int32)
    order = tf.argsort(drawn, stable=True)
    return tf.argsort(order) < number
