"""The outputs of a batch that have a loss of their own: whole examples, or parts of them.

Logits [B, T, C] or [B, H, W, C] have an output at each position, and logits [B, K] of a loss that
is the mean of its columns have one for each column. Outputs without a valid label count nowhere:
they are left out here, before any loss, weight or mean is computed.
"""

import dataclasses
import functools
import math
from typing import Any

import tensorflow as tf

from tf_mwn.tensors import Labels, Logits, Losses, Tensor


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The outputs of a batch of B examples, P of each.

    Args:
        labels: as given: class numbers like the logits without their last axis, or an axis more.
        logits: [B], [B, C] or [B, .., C].
        splits: whether each column of logits [B, K] is an output.
        ignored: the label of outputs that are left out; None for none.
    """

    labels: Labels
    logits: Logits
    splits: bool = False
    ignored: float | None = None

    @functools.cached_property
    def _logits(self) -> Logits:
        """[B, .., C]."""
        if self.logits.shape.rank == 1 or self.splits:
            return self.logits[..., tf.newaxis]
        return self.logits

    @functools.cached_property
    def _places(self) -> list[Any]:
        """B and the sizes of the axes of positions, known or tensors."""
        known, sizes = self._logits.shape[:-1], tf.shape(self._logits)
        return [sizes[i] if size is None else size for i, size in enumerate(known)]

    @functools.cached_property
    def of_each(self) -> int | Tensor:
        """P."""
        return math.prod(self._places[1:])

    @functools.cached_property
    def _every_label(self) -> Labels:
        """Of the outputs of all examples, [B P] or [B P, C]."""
        if self.labels.shape.rank == self._logits.shape.rank:
            return tf.reshape(self.labels, [-1, self.labels.shape[-1]])
        return tf.reshape(self.labels, [-1])

    @functools.cached_property
    def valid(self) -> Tensor | None:
        """[B P] booleans; None where all outputs count."""
        if self.ignored is None:
            return None
        is_valid = self._every_label != tf.cast(self.ignored, self._every_label.dtype)
        return tf.reduce_any(is_valid, axis=1) if is_valid.shape.rank == 2 else is_valid

    def _of_valid(self, values: Tensor) -> Tensor:
        return values if self.valid is None else tf.boolean_mask(values, self.valid)

    @functools.cached_property
    def row_labels(self) -> Labels:
        """Of the N valid outputs: [N] or [N, C]."""
        return self._of_valid(self._every_label)

    @functools.cached_property
    def row_logits(self) -> Logits:
        """Of the N valid outputs: [N, C]."""
        return self._of_valid(tf.reshape(self._logits, [-1, self._logits.shape[-1]]))

    @functools.cached_property
    def place(self) -> Tensor:
        """The number of each valid output among all B P, int64 [N]."""
        number = tf.cast(tf.math.reduce_prod(tf.stack(self._places)), tf.int64)
        return self._of_valid(tf.range(number))

    @functools.cached_property
    def example(self) -> Tensor:
        """The example in the batch that each valid output belongs to, int64 [N]."""
        return self.place // tf.cast(self.of_each, tf.int64)

    def rows(self, values: Tensor) -> Tensor:
        """`values` [B] of the examples, or [B, ..] of the outputs, for each valid output: [N]."""
        if values.shape.rank == 1:
            return tf.gather(values, self.example)
        return tf.gather(tf.reshape(values, [-1, *values.shape[len(self._places) :]]), self.place)

    def examples(self, values: Tensor) -> Tensor:
        """The rows of `values` [B, ..] that belong to examples with valid outputs."""
        kept = self.whole_examples
        return values if kept is None else tf.boolean_mask(values, kept)

    @functools.cached_property
    def whole_examples(self) -> Tensor | None:
        """[B] booleans: the examples that have valid outputs; None for all."""
        if self.valid is None:
            return None
        return tf.reduce_any(tf.reshape(self.valid, [self._places[0], self.of_each]), axis=1)

    def mean_of_examples(self, losses: Losses) -> Losses:
        """The mean of `losses` [N] over each example's valid outputs, where it has any."""
        if self.valid is None:
            return tf.reduce_mean(tf.reshape(losses, [self._places[0], self.of_each]), axis=1)
        numbers = tf.math.unsorted_segment_sum(tf.ones_like(losses), self.example, self._places[0])
        totals = tf.math.unsorted_segment_sum(losses, self.example, self._places[0])
        return self.examples(totals) / self.examples(numbers)

    def laid_out(self, values: Tensor) -> Tensor:
        """`values` [N] of the valid outputs in their places, [B, ..]; 0 elsewhere."""
        if self.valid is not None:
            size = tf.shape(self.valid)
            values = tf.scatter_nd(self.place[:, tf.newaxis], values, tf.cast(size, tf.int64))
        return tf.reshape(values, self._places)

    def laid_out_examples(self, values: Tensor) -> Tensor:
        """`values` of the examples that have valid outputs as [B]; 0 for the others."""
        if self.valid is None:
            return values
        rows = tf.where(self.whole_examples)
        return tf.scatter_nd(rows, values, tf.cast([self._places[0]], tf.int64))
