"""Replaces training images by images of another source, or alters them by data noise."""

import dataclasses
from typing import Any

import numpy as np

from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS, alter_images
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.images.decoding import check_scale, fit_images
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.seeds import generator, random_order
from tf_mwn.data.subset import DATA_NOISE, OPEN_SET, UNKNOWN_CLASS, Source, Subset


def check_open_set(settings: BiasSettings, open_set: Source | None) -> None:
    """Checks that the source of open-set images is given exactly when the settings name one.

    Raises:
        ValueError: one is given without the other.
    """
    if (settings.open_set is None) != (open_set is None):
        asked = f"the source {settings.open_set}" if settings.open_set else "no source"
        received = "none" if open_set is None else open_set.name
        raise ValueError(f"open_set: expected {asked}, received {received}")


def alter_inputs(
    part: Subset,
    settings: BiasSettings,
    seed: int,
    name: str,
    open_set: Source | None,
    statistics: tuple[np.ndarray, np.ndarray],
) -> Subset:
    """Replaces an exact fraction of a part's images; the labels stay.

    One random order of the part decides which examples change: open-set images take the first
    ones, data noise the next. Hence no example has both, and a higher rate alters a superset of
    the examples. An image that no longer shows the class of its label (an open-set image, Gaussian
    noise, pixels shuffled for each image) gets the clean label `UNKNOWN_CLASS`, so that any label
    counts as wrong.

    Args:
        part: training or validation part.
        settings: the bias.
        seed: seed of the draws.
        name: the part's name, which enters the draws.
        open_set: the source of open-set images, or None.
        statistics: mean and standard deviation per channel, for Gaussian noise.

    Raises:
        ValueError: too few open-set images, or inputs that are no images in memory.
    """
    if open_set is None and settings.data_noise == "none":
        return part
    order = random_order(len(part), generator(seed, f"{name} altered"))
    count = round(settings.open_set_rate * len(part))
    foreign, rest = np.sort(order[:count]), order[count:]
    noisy = np.sort(rest[: round(settings.data_noise_rate * len(part))])
    x, altered = part.x, np.zeros(len(part), np.int8)
    altered[foreign], altered[noisy] = OPEN_SET, DATA_NOISE
    if count:
        x = _with_foreign(x, foreign, open_set, generator(seed, f"{name} open set"))
    if len(noisy):
        x = _with_noise(x, noisy, settings, statistics, generator(seed, f"{name} data noise"))
    clean = part.clean_label
    if clean is not None:
        lost = foreign if DATA_NOISE_KINDS[settings.data_noise].shows_class else altered > 0
        clean = clean.copy()
        clean[lost] = UNKNOWN_CLASS
    path = part.path
    if path is not None and count:  # the file of an image that was replaced is not known
        path = path.copy()
        path[foreign] = b""
    return dataclasses.replace(part, x=x, clean_label=clean, altered=altered, path=path)


def _with_foreign(x: Any, rows: np.ndarray, other: Source, rng: np.random.Generator) -> Any:
    """Returns the inputs with images of another source's training part at `rows`."""
    if len(rows) > len(other.x):
        raise ValueError(
            f"open_set: expected at least {len(rows)} images, "
            f"received {len(other.x)} in {other.name}"
        )
    drawn = other.x[np.sort(random_order(len(other.x), rng)[: len(rows)])]
    if isinstance(x, ImageFiles):
        return x.replace(rows, drawn)
    check_scale(f"open_set {other.name}", other.x, "the data", x)
    x = x.copy()
    x[rows] = fit_images(np.asarray(drawn), x.shape[1:], other.name)
    return x


def _with_noise(x, rows, settings: BiasSettings, statistics, rng) -> np.ndarray:
    if not isinstance(x, np.ndarray):
        raise ValueError(
            f"data_noise: expected images in memory for {settings.data_noise}, "
            "received a source whose images are streamed"
        )
    x = x.astype(np.uint8) if x.dtype == bool else x.copy()
    x[rows] = alter_images(x[rows], settings.data_noise, *statistics, rng)
    return x
