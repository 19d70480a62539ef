"""Label noise whose rate and target depend on each input."""

import statistics

import numpy as np

from tf_mwn.checks import UNIT, check_labels
from tf_mwn.data.bias.noise import drawn_classes
from tf_mwn.data.statistics import mean_and_std

# Standard deviation of the flip rates over the examples.
_SPREAD = 0.1


def instance_dependent_labels(
    x: np.ndarray, clean: np.ndarray, rate: float, num_classes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws labels whose probability of being wrong, and whose wrong class, follow the input.

    Label i is wrong with probability q_i ~ N(rate, 0.1^2), truncated to (0, 1). The truncation
    moves the mean of q: it is 0.101 for the rate 0.05, 0.129 for 0.1, 0.206 for 0.2 and 0.871 for
    0.9. The data card has it, and the share that became wrong. The class is then drawn from
    softmax(x_i W) over the other classes, with a random standard normal matrix W [D, C] for each
    true class and standardised inputs. With many inputs the softmax is close to one class.
    Source: Xia et al., Part-dependent label noise, NeurIPS 2020, algorithm 2.

    Args:
        x: [N, ...] inputs.
        clean: [N] true labels in 0..C-1.
        rate: r in [0, 1], the location of that normal distribution, and the mean of q from about
            0.2 to 0.8; 0 leaves all labels as they are.
        num_classes: number of classes C.
        rng: generator.

    Returns:
        [N] int64 labels, and [N] float64 probabilities q_i that they are wrong.

    Raises:
        ValueError: a rate outside [0, 1], or labels out of range.
    """
    clean = check_labels("labels", clean, num_classes)
    UNIT.check("noise_rate", rate)
    if rate == 0.0:
        return clean, np.zeros(len(clean))
    wrong = truncated_normal(rng.random(len(clean)), rate, _SPREAD)
    uniform = rng.random(len(clean))
    mean, std = mean_and_std(x)
    label, features = clean.copy(), int(np.prod(x.shape[1:]))
    for true in range(num_classes):
        weights = standard_normal(rng, (features, num_classes))
        rows = np.flatnonzero((clean == true) & (uniform < wrong))
        inputs = ((x[rows] - mean) / std).reshape(len(rows), features).astype(np.float64)
        # Below its probability, uniform / q is again uniform in [0, 1).
        label[rows] = _draw_other(inputs @ weights, true, uniform[rows] / wrong[rows])
    return label, wrong


def _draw_other(logits: np.ndarray, true: int, uniform: np.ndarray) -> np.ndarray:
    """Draws a class by softmax [n, C] over all classes but `true`."""
    logits[:, true] = -np.inf
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    return drawn_classes(share / share.sum(axis=1, keepdims=True), uniform)


def standard_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draws standard normal numbers by Box and Muller's formula.

    NumPy may change what `normal` draws between versions, whereas `random` stays; see
    `tf_mwn.data.seeds.random_order`.
    """
    radius = np.sqrt(-2.0 * np.log1p(-rng.random(shape)))
    return radius * np.cos(2.0 * np.pi * rng.random(shape))


def truncated_normal(uniform: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Maps uniform numbers [N] to the normal distribution truncated to (0, 1)."""
    normal = statistics.NormalDist(mean, std)
    low, high = normal.cdf(0.0), normal.cdf(1.0)
    levels = low + (high - low) * np.clip(uniform, 1e-12, 1.0 - 1e-12)
    return np.clip([normal.inv_cdf(level) for level in levels.tolist()], 0.0, 1.0)
