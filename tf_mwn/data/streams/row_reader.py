"""Rows of arrays, or of image files, inside a `tf.data` map."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_mwn.data.images.files import ImageFiles, decode


def row_reader(structure: Any) -> Callable[[tf.Tensor], Any]:
    """Returns the function from row numbers to the rows of every array of a structure.

    Arrays are held once, as eager tensors, which a map captures instead of copying as constants.
    For image files the paths are held, and the requested rows are decoded.

    Args:
        structure: array or `ImageFiles`, or a tuple or dict of them.
    """
    readers = tf.nest.map_structure(_reader, structure)
    return lambda rows: tf.nest.map_structure(lambda read: read(rows), readers)


def _reader(array: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    files = isinstance(array, ImageFiles)
    with tf.device("CPU:0"):
        held = tf.convert_to_tensor(array.paths if files else array)
    if not files:
        return lambda rows: tf.gather(held, rows)
    return lambda rows: _decoded(tf.gather(held, rows), array.form)


def _decoded(paths: tf.Tensor, form) -> tf.Tensor:
    # Not stateful, or deterministic execution would decode one batch after the other.
    images = tf.numpy_function(lambda p: decode(p, form), [paths], tf.uint8, stateful=False)
    images.set_shape([paths.shape[0], *form.shape])
    return images
