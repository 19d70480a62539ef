"""The weight net V(loss, class size; Θ) of CMW-Net."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import SEES_LABELS, TrainingBatch
from tf_mwn.losses.targets import class_numbers
from tf_mwn.methods.meta_weight_net.specs import WEIGHT_NORMALIZATION
from tf_mwn.methods.meta_weight_net.weight_net import dense, weighted_share
from tf_mwn.tensors import Labels, Logits, Losses, Tensor
from tf_mwn.training.meta_learner import MetaLearner


@keras.saving.register_keras_serializable(package="tf_mwn")
class ClassAwareNet(MetaLearner):
    """v = V(l, N_y; Θ): an MLP with one sigmoid head for each group of classes of similar size.

    The groups are the K-means clusters of the class counts. Their heads are in ascending order of
    the mean count, and share the hidden layers. With one cluster V has the variables of
    `WeightNet`. The layers start like those of `WeightNet`.

    The shape of Θ does not depend on the number of classes. `set_weights` can take Θ to a net with
    the class counts of another data set.

    Args:
        class_counts: [C] training examples per given class.
        units: sizes of the hidden layers, at least one; (100,) is the paper's.
        clusters: K, 3 in the paper. If there are fewer different counts, K is their number, with
            a warning.
        normalization: how weights enter the objective, as in `WeightNet`.

    Attributes:
        cluster_of_class: [C] integers, the head of each class.

    Raises:
        TypeError, ValueError: an argument outside its range.

    Examples:
        >>> net = tf_mwn.ClassAwareNet(class_counts=[500, 480, 20, 10], clusters=2)
        >>> [int(cluster) for cluster in net.cluster_of_class]
        [1, 1, 0, 0]

    See Also:
        `CMWNet`: learns it. `WeightNet`: one head for all classes.

    References:
        Shu, Yuan, Meng and Xu, CMW-Net: Learning a Class-Aware Sample Weighting Mapping for
        Robust Deep Learning, TPAMI 2023, https://arxiv.org/abs/2202.05613.
    """

    takes_sample_weight = True
    sees = SEES_LABELS

    def __init__(
        self,
        class_counts: Sequence[float],
        units: Sequence[int] = (100,),
        clusters: int = 3,
        normalization: str = "none",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = tuple(check_count("units", size) for size in units)
        if not self.units:
            raise ValueError("units: expected at least one hidden layer, received none")
        WEIGHT_NORMALIZATION.check(normalization)
        self.normalization = normalization
        self._counts = _checked_counts(class_counts)
        self._wanted = check_count("clusters", clusters)
        self.cluster_of_class = clusters_of(self._counts, self._wanted)
        self.clusters = int(self.cluster_of_class.max()) + 1
        sizes = (1, *self.units)
        self.hidden_layers = [
            dense(fan_in, size, "relu", self.dtype_policy)
            for fan_in, size in zip(sizes, sizes[1:], strict=False)
        ]
        self.heads = dense(self.units[-1], self.clusters, "sigmoid", self.dtype_policy)
        self.build(None)

    def build(self, input_shape: Any) -> None:
        layers = [*self.hidden_layers, self.heads]
        for fan_in, layer in zip((1, *self.units), layers, strict=True):
            if not layer.built:
                layer.build((None, fan_in))
        self.built = True

    def call(self, loss: Any, labels: Labels) -> Tensor:
        """Weights [B] in (0, 1).

        Args:
            loss: [B].
            labels: class numbers [B], or distributions [B, C], of which the largest entry counts.
        """
        x = tf.cast(tf.convert_to_tensor(loss), self.compute_dtype)[:, tf.newaxis]
        for layer in self.hidden_layers:
            x = layer(x)
        cluster = tf.gather(tf.constant(self.cluster_of_class), self._class(labels))
        return tf.gather(self.heads(x), cluster, axis=1, batch_dims=1)

    def _class(self, labels: Labels) -> tf.Tensor:
        labels = tf.convert_to_tensor(labels)
        numbers = class_numbers(labels, tf.zeros([0, len(self._counts)]))
        return tf.argmax(labels, axis=-1, output_type=tf.int32) if numbers is None else numbers

    def example_weights(self, losses: Losses, labels: Labels) -> tf.Tensor:
        """V [B] at losses [B], which are constant in the gradient."""
        return tf.cast(self(tf.stop_gradient(losses), labels), losses.dtype)

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """The weighted loss, normalised by `normalization`, and the weights v [B]."""
        losses = batch.losses(logits)
        weights = self.example_weights(losses, batch.labels)
        return weighted_share(batch, weights, losses, self.normalization), weights

    def curve(self, losses: Losses) -> Tensor | None:
        """V at each loss; None with several clusters, which have several curves."""
        if self.clusters > 1:
            return None
        return self(losses, tf.zeros_like(losses, tf.int32))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_counts": self._counts.tolist(),
            "units": self.units,
            "clusters": self._wanted,
            "normalization": self.normalization,
        }


def clusters_of(class_counts: np.ndarray, clusters: int) -> np.ndarray:
    """The K-means cluster of each class by its count; int32 [C], smallest mean count first."""
    different = len(np.unique(class_counts))
    if different < clusters:
        warnings.warn(
            f"clusters: expected at most {different}, the number of different class sizes, "
            f"received {clusters}; using {different}",
            stacklevel=2,
        )
    if min(different, clusters) == 1:
        return np.zeros(len(class_counts), np.int32)
    from sklearn.cluster import KMeans  # imported late: slow

    found = KMeans(min(different, clusters), n_init=10, random_state=0).fit(class_counts[:, None])
    rank = np.argsort(np.argsort(found.cluster_centers_[:, 0]))
    return rank[found.labels_].astype(np.int32)


def _checked_counts(class_counts: Any) -> np.ndarray:
    counts = np.asarray(class_counts, np.float64)
    if counts.ndim != 1 or len(counts) < 2 or not (np.isfinite(counts).all() and counts.min() >= 0):
        raise ValueError(
            f"class_counts: expected a count for each of at least 2 classes, received {counts}"
        )
    return counts
