"""What tensors mean in signatures.

To a type checker each is `Any`, for TensorFlow and Keras state no types. To a reader they are not.
B is the number of examples in a batch, C that of classes.
"""

from typing import Any, TypeAlias

import keras
import tensorflow as tf

Tensor: TypeAlias = tf.Tensor  # of any meaning
Inputs: TypeAlias = Any  # what a classifier takes: [B, ...], or a tuple or dict of such tensors
Labels: TypeAlias = tf.Tensor  # [B]; of other tasks than classes, shaped like the logits
Logits: TypeAlias = tf.Tensor  # [B, C]; of other tasks [B, ...]
Losses: TypeAlias = tf.Tensor  # [B]; of a function on any shape, one for each label
Assignment: TypeAlias = tuple[keras.Variable, tf.Tensor]  # a variable and its value
Logs: TypeAlias = dict[str, Any]  # measures by name, as steps give them to Keras
HyperParameter: TypeAlias = Any  # a float or a list, or a tensor or variable that gradients reach
Element: TypeAlias = dict[str, Any]  # see `paired_dataset`: "inputs", "sample_id", "meta_inputs"
Batches: TypeAlias = tf.data.Dataset  # of pairs (inputs, labels)
