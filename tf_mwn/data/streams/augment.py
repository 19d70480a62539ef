"""Augmentation and normalisation of image batches, inside a `tf.data` map or outside."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_mwn.checks import POSITIVE


def _reflect(index: tf.Tensor, size: int) -> tf.Tensor:
    """Maps positions beyond the border back inside; the edge itself is not repeated."""
    index = tf.abs(index)
    return tf.where(index >= size, 2 * (size - 1) - index, index)


def crop_and_flip(images: tf.Tensor, seed: tf.Tensor, padding: int = 4) -> tf.Tensor:
    """Pads by reflection, crops to the old size at random, and mirrors every other image.

    Offsets and flips are drawn for each image. This is the augmentation of the CIFAR experiments of
    He et al., CVPR 2016, with reflected instead of black borders. One gather reads each pixel from
    its place in the crop, which is several times as fast as padding the image.

    Args:
        images: [B, H, W, C] of any type; H, W and C static, H and W above `padding`.
        seed: [2] integers; the result is a function of images and seed.
        padding: pixels added on each side.

    Returns:
        [B, H, W, C] of the same type.

    Raises:
        ValueError: images of another rank, or too small for the padding.
    """
    if images.shape.rank != 4 or min(images.shape[1:3]) <= padding:
        raise ValueError(
            f"images: expected shape [B, H, W, C] with H and W above the padding {padding}, "
            f"received {images.shape}"
        )
    height, width, channels = images.shape[1:]
    count = tf.shape(images)[0]
    offset_seed, flip_seed = tf.unstack(tf.random.split(seed, 2, alg="philox"))
    offsets = tf.random.stateless_uniform(
        [count, 2], offset_seed, -padding, padding + 1, tf.int32, alg="philox"
    )
    flips = tf.random.stateless_uniform([count, 1], flip_seed, 0, 2, tf.int32, alg="philox")
    columns = tf.range(width)
    columns = tf.where(flips == 1, width - 1 - columns, columns)
    rows = _reflect(offsets[:, :1] + tf.range(height), height)
    columns = _reflect(offsets[:, 1:] + columns, width)
    first_rows = height * tf.range(count)[:, None] + rows
    pixels = width * first_rows[:, :, None] + columns[:, None, :]
    return tf.gather(tf.reshape(images, [-1, channels]), pixels)


def standardise(mean: np.ndarray, std: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the function `(inputs - mean) / std` to float32.

    Args:
        mean: mean per channel (or per feature), in the units of the inputs.
        std: standard deviation likewise, above 0.

    Raises:
        ValueError: a standard deviation that is not positive.
    """
    mean, std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    POSITIVE.check("std", std.min())

    def apply(inputs: tf.Tensor) -> tf.Tensor:
        # An example is one long row: broadcast over three channels it takes three times as long.
        row_mean, row_std = (np.broadcast_to(v, inputs.shape[1:]).reshape(-1) for v in (mean, std))
        rows = tf.reshape(tf.cast(inputs, tf.float32), [-1, row_mean.size])
        return tf.reshape((rows - row_mean) / row_std, tf.shape(inputs))

    return apply
