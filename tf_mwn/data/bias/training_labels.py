"""The labels to train on: from a file, from the source, or drawn with label noise."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from tf_mwn.data.bias.feature_noise import feature_dependent_labels
from tf_mwn.data.bias.instance_noise import instance_dependent_labels
from tf_mwn.data.bias.label_file import read_labels
from tf_mwn.data.bias.noise import FEATURE_KINDS, NOISE_KINDS, corrupt, transition_matrix
from tf_mwn.data.bias.noise_files import read_matrix, read_probabilities
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.seeds import generator
from tf_mwn.data.subset import Source
from tf_mwn.messages import logger


@dataclasses.dataclass(frozen=True)
class DrawnLabels:
    """Labels, and the noise that produced them.

    Attributes:
        label: [N] int64 labels.
        matrix: [C, C] nominal transition matrix, or None where there is none.
        wrong: [N] probability that a label is wrong, or None where it is not known.
        target: the class of background noise, or None.
    """

    label: np.ndarray
    matrix: np.ndarray | None = None
    wrong: np.ndarray | None = None
    target: int | None = None


def training_labels(
    source: Source, settings: BiasSettings, seed: int, groups: Iterable[np.ndarray]
) -> DrawnLabels:
    """Returns a label for every example of the source's training part.

    With "expected" sampling, the label of an example depends only on the seed and its row. With
    "exact" sampling, the counts hold within each group of rows.

    Args:
        source: the source.
        settings: the bias.
        seed: seed of the draws.
        groups: rows of the training part and of those held out.

    Raises:
        TypeError, ValueError: a file that cannot be used, or noise that the source cannot have.
    """
    num_classes = len(source.class_names)
    if settings.label_file is not None:
        label = read_labels(settings.label_file, source)
        _warn_of_disorder(settings.label_file, label, source.y, num_classes)
        return DrawnLabels(label)
    if source.y_given is not None:
        if settings.noise != "none":
            raise ValueError(
                f"noise: expected none for {source.name}, which already holds noisy labels, "
                f"received {settings.noise}"
            )
        return DrawnLabels(source.y_given)
    if NOISE_KINDS[settings.noise].matrix is None:
        return _from_inputs(source, settings, generator(seed, "noise"))
    given = _needs(source, settings, seed)
    matrix = transition_matrix(settings.noise, settings.noise_rate, num_classes, **given)
    label = _drawn(source.y, matrix, settings.noise_sampling, seed, groups)
    wrong = 1.0 - matrix[source.y, source.y]
    target = given["target"] if settings.noise == "background" else None
    return DrawnLabels(label, matrix, wrong, target)


def _warn_of_disorder(path: str, label: np.ndarray, y: np.ndarray, num_classes: int) -> None:
    """A line if labels agree with those of the data hardly more often than in a random order."""
    shares = (np.bincount(part, minlength=num_classes) / len(part) for part in (label, y))
    by_chance, agreement = float(np.dot(*shares)), float(np.mean(label == y))
    if agreement < by_chance + 0.1 * (1 - by_chance):
        logger.warning(
            "label_file: %.0f %% of the labels in %s differ from those of the data, about as many "
            "as in a random order: are they in the order of the data?",
            100 * (1 - agreement),
            path,
        )


def meta_labels(source: Source, y: np.ndarray, settings: BiasSettings, seed: int) -> DrawnLabels:
    """Returns the labels of a meta set with true labels y [M], with their noise.

    Raises:
        ValueError: noise that the source cannot have.
    """
    given = _needs(source, settings, seed)
    num_classes = len(source.class_names)
    matrix = transition_matrix(settings.meta_noise, settings.meta_noise_rate, num_classes, **given)
    label = corrupt(y, matrix, generator(seed, "meta noise"), settings.noise_sampling)
    return DrawnLabels(label, matrix, 1.0 - matrix[y, y], given["target"])


def _needs(source: Source, settings: BiasSettings, seed: int) -> dict[str, Any]:
    """Returns everything a transition matrix may need; reads a matrix file only if one is set."""
    num_classes = len(source.class_names)
    target = settings.noise_target
    if target is None:
        target = int(num_classes * generator(seed, "noise target").random())
    elif target >= num_classes:
        raise ValueError(f"noise_target: expected a class below {num_classes}, received {target}")
    matrix = None
    if settings.noise_matrix is not None:
        matrix = read_matrix(settings.noise_matrix, num_classes)
    return {"coarse": source.coarse, "target": target, "matrix": matrix}


def _drawn(y, matrix, sampling: str, seed: int, groups: Iterable[np.ndarray]) -> np.ndarray:
    if sampling == "expected":
        return corrupt(y, matrix, generator(seed, "noise"))
    label, rng = y.copy(), generator(seed, "exact noise")
    for rows in groups:
        label[rows] = corrupt(y[rows], matrix, rng, "exact")
    return label


def _from_inputs(source: Source, settings: BiasSettings, rng: np.random.Generator) -> DrawnLabels:
    """Draws labels whose noise depends on the inputs."""
    num_classes = len(source.class_names)
    if settings.noise in FEATURE_KINDS:
        path = settings.noise_probabilities
        if path is None:
            raise ValueError(
                f"noise_probabilities: expected a file with --noise={settings.noise}, received none"
            )
        probabilities = read_probabilities(path, source)
        rate = settings.noise_rate if settings.noise_factor is None else None
        label, wrong = feature_dependent_labels(
            probabilities, source.y, settings.noise, rng, rate=rate, factor=settings.noise_factor
        )
    elif not isinstance(source.x, np.ndarray):
        raise ValueError(
            f"noise: expected images in memory for {settings.noise}, received {source.name}, "
            "whose images are streamed"
        )
    else:
        label, wrong = instance_dependent_labels(
            source.x, source.y, settings.noise_rate, num_classes, rng
        )
    return DrawnLabels(label, wrong=wrong)
