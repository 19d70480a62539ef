"""Noise in the images instead of the labels."""

import dataclasses
from collections.abc import Callable

import numpy as np

from tf_mwn.checks import check_name
from tf_mwn.data.bias.instance_noise import standard_normal
from tf_mwn.data.seeds import random_order

_CHUNK = 1024  # images held as float64 at a time: 25 MB of 32x32x3


@dataclasses.dataclass(frozen=True)
class DataNoiseKind:
    """One kind of data noise.

    Attributes:
        name: what `--data_noise` calls it.
        title: one line.
        alter: (images float64 [n, H, W, C], facts, rng) -> altered images; None to keep them.
        shows_class: whether an altered image still shows the class of its label.
    """

    name: str
    title: str
    alter: Callable[..., np.ndarray] | None
    shows_class: bool = True


@dataclasses.dataclass(frozen=True)
class _Facts:
    """What all altered images share: mean [C], std [C], and an order of the H W pixels."""

    mean: np.ndarray
    std: np.ndarray
    order: np.ndarray


def _gaussian(images, facts, rng):
    return facts.mean + facts.std * standard_normal(rng, images.shape)


def _shuffle_alike(images, facts, rng):
    pixels = images.reshape(len(images), -1, images.shape[-1])
    return pixels[:, facts.order].reshape(images.shape)


def _shuffle_each(images, facts, rng):
    pixels = images.reshape(len(images), -1, images.shape[-1])
    orders = np.argsort(rng.random(pixels.shape[:2]), axis=1, kind="stable")
    return np.take_along_axis(pixels, orders[..., None], axis=1).reshape(images.shape)


def _corrupt(images, facts, rng):
    """Alters each image in one of four ways, drawn by equal chance."""
    ways = (_add_noise, _blur, _reduce_contrast, _cover)
    drawn = (len(ways) * rng.random(len(images))).astype(int)
    images = images.copy()
    for number, way in enumerate(ways):
        images[drawn == number] = way(images[drawn == number], facts.std, rng)
    return images


def _add_noise(images, std, rng):
    """Gaussian noise of half the set's deviation; most images stay recognisable."""
    return images + 0.5 * std * standard_normal(rng, images.shape)


def _blur(images, std, rng):
    """The mean over 5 x 5 pixels, the edge repeated."""
    for axis in (1, 2):
        borders = [(2, 2) if axis == other else (0, 0) for other in range(4)]
        padded, size = np.pad(images, borders, mode="edge"), images.shape[axis]
        parts = [np.take(padded, np.arange(size) + shift, axis=axis) for shift in range(5)]
        images = np.mean(parts, axis=0)
    return images


def _reduce_contrast(images, std, rng):
    """A quarter of each pixel's distance from the image's mean."""
    middle = images.mean(axis=(1, 2), keepdims=True)
    return middle + 0.25 * (images - middle)


def _cover(images, std, rng):
    """A square of half the side, at a random place, becomes the image's mean."""
    images = images.copy()
    height, width = images.shape[1:3]
    tops, lefts = rng.random((2, len(images)))
    for image, top, left in zip(images, tops, lefts, strict=True):
        rows = slice(int(top * (height - height // 2 + 1)), None)
        columns = slice(int(left * (width - width // 2 + 1)), None)
        image[rows][: height // 2, columns][:, : width // 2] = image.mean(axis=(0, 1))
    return images


_ROWS = (
    DataNoiseKind("none", "images as they are", None),
    DataNoiseKind(
        "gaussian",
        "Gaussian noise of the training images' mean and standard deviation per channel",
        _gaussian,
        shows_class=False,
    ),
    DataNoiseKind(
        "shuffled_pixels", "pixels shuffled, in the same order for all images", _shuffle_alike
    ),
    DataNoiseKind(
        "random_pixels",
        "pixels shuffled, in an order drawn for each image",
        _shuffle_each,
        shows_class=False,
    ),
    DataNoiseKind(
        "corrupted", "added noise, a blur, a quarter of the contrast, or a covered square", _corrupt
    ),
)

DATA_NOISE_KINDS = {row.name: row for row in _ROWS}


def alter_images(
    images: np.ndarray, kind: str, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns images with one kind of data noise.

    "gaussian", "shuffled_pixels" and "random_pixels" are from Zhang et al., Understanding deep
    learning requires rethinking generalization, ICLR 2017, section 2.

    Args:
        images: [n, H, W, C]; whole numbers are rounded and clipped to what their type holds.
        kind: one of `DATA_NOISE_KINDS`.
        mean: [C] mean per channel.
        std: [C] standard deviation per channel.
        rng: generator.

    Returns:
        [n, H, W, C] of the same type.

    Raises:
        ValueError: unknown kind, or inputs that are no images.
    """
    row = DATA_NOISE_KINDS[check_name("data_noise", kind, DATA_NOISE_KINDS)]
    if images.ndim != 4:
        raise ValueError(
            f"data_noise: expected images [N, H, W, C] for {kind}, "
            f"received inputs of shape {list(images.shape)}"
        )
    if row.alter is None or not len(images):
        return images
    order = random_order(int(np.prod(images.shape[1:3])), rng)
    facts, altered = _Facts(np.asarray(mean), np.asarray(std), order), np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float64)
        altered[start : start + _CHUNK] = _as_type(row.alter(chunk, facts, rng), images.dtype)
    return altered


def _as_type(images: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return images
    limits = np.iinfo(dtype)
    return np.clip(np.rint(images), limits.min, limits.max)
