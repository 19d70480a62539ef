"""Planted errors: wrong labels for clean examples, and how well low weights pick them out."""

from collections.abc import Callable

import numpy as np

from tf_mwn.label_noise.measures import noise_auc
from tf_mwn.label_noise.transition import calibrated_transition, held_out_confusion

_GIVEN_UP = 0.25  # mean weight of a class that is given up, as a share of the mean class's
_ENOUGH, _FEW = 5, 2  # clean examples, to say so of their class


def planted_weights(
    weights_of: Callable[[np.ndarray, np.ndarray], np.ndarray | None],
    clean: tuple[np.ndarray, np.ndarray],
    train: tuple[np.ndarray, np.ndarray] | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights of clean examples with their own label, and with a wrong one.

    Args:
        weights_of: (labels, logits) -> weights, or None if there are no such weights.
        clean: logits [M, C] and labels ([M], or one-hot [M, C]) of clean examples.
        train: of training examples with their given labels, or None; see `observed_confusions`.
        rng: one number is drawn for each clean example.

    Returns:
        Two arrays [M]; None if there are no such weights, or if logits are not finite.
    """
    logits, labels = clean
    parts = [clean] if train is None else [clean, train]
    if not all(np.isfinite(part[0]).all() for part in parts):
        return None
    classes = [(two_logits(z), class_numbers(y)) for z, y in parts]
    matrix = observed_confusions(classes[0], None if train is None else classes[1])
    wrong = plant(classes[0][1], matrix, rng)
    if labels.ndim == 2:
        wrong = np.eye(labels.shape[1])[wrong] if labels.shape[1] > 1 else wrong[:, np.newaxis]
    both = np.concatenate([labels, wrong.astype(labels.dtype)])
    weights = weights_of(both, np.concatenate([logits, logits]))
    return None if weights is None else tuple(np.split(weights, 2))


def two_logits(logits: np.ndarray) -> np.ndarray:
    """One logit z [N, 1] as the logits 0 and z of two classes, which have its probabilities."""
    return np.pad(logits, [(0, 0), (1, 0)]) if logits.shape[1] == 1 else logits


def class_numbers(labels: np.ndarray) -> np.ndarray:
    """Class numbers [N] of labels [N], [N, 1] or one-hot [N, C]."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.argmax(axis=1)
    return labels.reshape(-1).astype(np.int64)


def plant(labels: np.ndarray, matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wrong label [M] for each of the clean labels, drawn by its row of a transition matrix.

    Args:
        labels: [M] true classes in 0..C-1.
        matrix: [C, C], P(given j | true i), every entry above 0. Only the errors count: label j
            is drawn with probability matrix[i, j] / Σ_{k≠i} matrix[i, k].
        rng: one number is drawn for each label.
    """
    errors = matrix[labels].astype(np.float64)
    errors[np.arange(len(labels)), labels] = 0.0
    ends = errors.cumsum(axis=1)
    # In (0, sum], so that an entry of 0, the label itself, is never hit.
    drawn = (1 - rng.random(len(labels))) * ends[:, -1]
    return (ends < drawn[:, np.newaxis]).sum(axis=1)


def observed_confusions(
    clean: tuple[np.ndarray, np.ndarray], train: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """The transition matrix [C, C] by which errors are planted, every entry above 0.

    Args:
        clean: logits [M, C] and true classes [M] of examples that the classifier was not trained
            on.
        train: logits [N, C] and given labels [N] of training examples, from which the audit's
            estimate is made. Without them the matrix is that of the classifier's own confusions.
    """
    from scipy.special import softmax

    logits, labels = clean
    if train is None:
        return held_out_confusion(softmax(logits.astype(np.float64), axis=1), labels)
    return calibrated_transition(*train, clean)[1].matrix


def given_up(
    weights: np.ndarray,
    clean: tuple[np.ndarray, np.ndarray],
    train: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Classes whose right labels weigh next to nothing, although the classifier does not know them.

    V sees losses. Those of a rare or hard class can be as large as those of wrong labels, and if V
    takes them for such, the classifier is not trained on the class, and they stay large. A class
    that the classifier knows well may weigh little: its losses are small.

    Args:
        weights: [M], 0 or larger, of clean examples with their own labels.
        clean: logits [M, C] (or [M, 1]) and labels ([M], [M, 1] or one-hot [M, C]) of these.
        train: weights [N] and given labels of training examples, or None.

    Returns:
        [C] of bool: whether the clean examples of a class weigh less than a quarter of those of the
        mean class, and fewer of them are predicted right. The mean of less than five clean examples
        says little: two are enough if the training examples of the class weigh so little too.
    """
    logits, labels = two_logits(clean[0]), class_numbers(clean[1])
    classes = logits.shape[1]
    counts = np.bincount(labels, minlength=classes)
    sure = counts >= _ENOUGH
    if train is not None:
        sure |= (counts >= _FEW) & _is_light(train[0], class_numbers(train[1]), classes)
    recall = _mean_by_class(logits.argmax(axis=1) == labels, labels, classes)
    return sure & _is_light(weights, labels, classes) & (recall < np.nanmean(recall))


def _is_light(weights: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    mean = _mean_by_class(weights, labels, classes)
    return mean < _GIVEN_UP * np.nanmean(mean)


def _mean_by_class(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """[C], NaN for classes without examples."""
    counts = np.bincount(labels, minlength=classes)
    return np.divide(
        np.bincount(labels, values, classes), counts, np.full(classes, np.nan), where=counts > 0
    )


def auc_and_error(own: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """The AUC of low weights for planted errors, and its standard error.

    Args:
        own: [M] weights of clean examples with their own label.
        wrong: [M] weights of the same examples with a wrong label.

    Returns:
        The AUC, see `noise_auc`, and its standard error over the examples: infinite for one
        example. An example enters both with its own and with a wrong label, so that the error is
        that of clustered data.

    References:
        DeLong et al., Biometrics 1988, https://doi.org/10.2307/2531595, for the components;
        Obuchowski, Biometrics 1997, https://doi.org/10.2307/2533958, for clusters.
    """
    from scipy.stats import rankdata

    size = len(own)
    both = np.concatenate([own, wrong])
    auc = noise_auc(both, np.arange(2 * size) >= size)
    if size < 2:
        return auc, float("inf")
    ranks = rankdata(both)
    # For each example: the share of wrong labels below its own one, and of own ones above its
    # wrong one. The mean of either is the AUC.
    above = (ranks[:size] - rankdata(own)) / size
    below = 1 - (ranks[size:] - rankdata(wrong)) / size
    return auc, float(np.std(above + below, ddof=1) / np.sqrt(size))
