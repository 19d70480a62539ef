"""D2L: predictions replace labels once the dimensionality of the features starts to rise."""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.replicas import state
from tf_mwn.losses.bootstrapping import reed_hard
from tf_mwn.losses.symmetric import symmetric_cross_entropy
from tf_mwn.methods.correction import specs
from tf_mwn.methods.correction.intrinsic_dimension import (
    is_turning_point,
    label_share,
    mean_over_batches,
)
from tf_mwn.methods.losses import specs as losses_specs
from tf_mwn.tensors import Element, Labels, Logits, Tensor
from tf_mwn.training.classifiers import with_features
from tf_mwn.training.phases import Snapshot
from tf_mwn.training.robust_model import RobustModel

# The paper's ten batches of 128. The estimate depends on the batch size.
_SAMPLE, _BATCH = 1280, 128


@keras.saving.register_keras_serializable(package="tf_mwn")
class PacedLabels(TrainingObjective):
    """T = mean of -Σ_j [α y_j + (1-α) 1(j = argmax p)] ln p_j, with α = 1 up to the turning point.

    The state holds the last values of the intrinsic dimensionality, their number and minimum, and
    α.

    Args:
        epochs: of the whole training.
        start: epochs before the window.
        window: number of values that the newest one is compared with.
        sce: (α, β) of the symmetric cross-entropy up to the turning point; None for cross-entropy.
    """

    takes_sample_weight = True

    def __init__(
        self, epochs: int, start: int, window: int, sce: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {"epochs": epochs, "start": start, "window": window, "sce": sce}
        self.values = state(self, "values", (window + 1,))
        self.number = state(self, "number", dtype="int32")
        # Not infinite, which `tf.debugging.enable_check_numerics` takes for a mistake.
        largest = keras.initializers.Constant(np.finfo(np.float32).max)
        self.least = state(self, "least", (), largest)
        self.alpha = state(self, "alpha", (), "ones")

    @property
    def has_turned(self) -> bool:
        """Whether the turning point is past, so that α < 1."""
        return _read(self.alpha) < 1

    @property
    def epochs_begun(self) -> int:
        """Number of values so far."""
        return int(_read(self.number))

    def take(self, value: float) -> bool:
        """Records the intrinsic dimensionality before an epoch, and sets α for that epoch.

        Args:
            value: NaN repeats the last value.

        Returns:
            Whether this is the turning point.
        """
        values, epoch = _read(self.values), self.epochs_begun
        values = np.append(values[1:], values[-1] if np.isnan(value) else value)
        self.values.assign(values)
        self.number.assign(epoch + 1)
        if values[-1] > 0:
            self.least.assign(min(_read(self.least), values[-1]))
        return self._set_alpha(values.astype("float32"), epoch)

    def _set_alpha(self, values: Any, epoch: int) -> bool:
        known = epoch + 1 > self._arguments["start"] + self._arguments["window"]
        turns = not self.has_turned and known and is_turning_point(values)
        if turns or self.has_turned:
            progress = epoch / self._arguments["epochs"]
            self.alpha.assign(label_share(progress, values[-1], float(_read(self.least))))
        return turns

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """This replica's share of T; no weights."""
        alpha = tf.convert_to_tensor(self.alpha)
        losses = reed_hard(batch.labels, logits, beta=alpha)
        if self._arguments["sce"] is not None:
            alpha_sce, beta = self._arguments["sce"]
            first = symmetric_cross_entropy(batch.labels, logits, alpha=alpha_sce, beta=beta)
            losses = tf.where(alpha < 1, losses, first)
        return batch.mean(losses), None

    def scalars(self) -> dict[str, Tensor]:
        """The intrinsic dimensionality before the epoch, and α."""
        return {"intrinsic_dimension": self.values[-1], "label_share": self.alpha}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}


@keras.saving.register_keras_serializable(package="tf_mwn")
class D2L(RobustModel):
    """Plain training, then targets between label and prediction.

    The local intrinsic dimensionality (LID) of the features falls while a classifier learns the
    classes, and rises when it begins to fit wrong labels. Before epoch t of T:

    1. LID_t is the mean LID at the input of the last layer, in evaluation mode, over 1280 training
       examples in ten batches. Smaller training sets are used whole.
    2. The turning point is the first t after `d2l_start` and the window at which LID_t exceeds the
       mean of the window by more than two deviations. There the classifier returns to its weights
       of one epoch before.
    3. From then on α = exp(-(t/T)·LID_t/min LID), and the target is α label + (1-α) predicted
       class.

    t counts finished epochs, so LID_0 belongs to the untrained classifier, as in the paper. The
    optimizer keeps its state. The examples depend on t alone: they are the same after a resumption
    and on any number of devices. The loss of `compile` is only logged.

    Args:
        classifier: functional or Sequential model that returns logits [B, C].
        epochs: T.
        d2l_start: fraction of the epochs before the window. The authors' code waits 40 of 120
            epochs (CIFAR-10), 60 of 200 (CIFAR-100) or 5 of 50 (MNIST).
        d2l_window: values in the window; 5 in the authors' code.
        d2l_neighbours: k. A batch of k examples or fewer takes all other examples, with a warning.
        d2l_first_loss: the loss up to the turning point. "cross_entropy" is the paper's; "sce",
            the symmetric cross-entropy, is that of the authors' code since 2019.
        sce_alpha, sce_beta: for "sce".

    Raises:
        ValueError: a classifier whose features are not known; see `classifiers.with_features`.

    Examples:
        >>> model = tf_mwn.D2L(classifier, epochs=2)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y)
        >>> history = model.fit(pairs, epochs=2, verbose=0)

    See Also:
        `SModel`, `GoldLossCorrection`: labels corrected by an estimate of the noise.

    References:
        Ma et al., Dimensionality-Driven Learning with Noisy Labels, ICML 2018, algorithm 1.
        https://arxiv.org/abs/1806.02612
    """

    needs_whole_sets = True
    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        epochs: int,
        d2l_start: float = specs.D2L_START.default,
        d2l_window: int = specs.D2L_WINDOW.default,
        d2l_neighbours: int = specs.D2L_NEIGHBOURS.default,
        d2l_first_loss: str = specs.D2L_FIRST_LOSS.default,
        sce_alpha: float = losses_specs.SCE_ALPHA.default,
        sce_beta: float = losses_specs.SCE_BETA.default,
        **kwargs: Any,
    ) -> None:
        specs.D2L_FIRST_LOSS.check(d2l_first_loss)
        sce = (sce_alpha, sce_beta) if d2l_first_loss == "sce" else None
        start = round(specs.D2L_START.check(d2l_start) * check_count("epochs", epochs))
        window = specs.D2L_WINDOW.check(d2l_window)
        specs.D2L_NEIGHBOURS.check(d2l_neighbours)
        super().__init__(classifier, PacedLabels(epochs, start, window, sce), **kwargs)
        self._arguments: dict[str, Any] = {
            "epochs": epochs,
            "d2l_start": d2l_start,
            "d2l_window": d2l_window,
            "d2l_neighbours": d2l_neighbours,
            "d2l_first_loss": d2l_first_loss,
            "sce_alpha": sce_alpha,
            "sce_beta": sce_beta,
        }
        network = with_features(classifier)
        features = tf.function(lambda x: network(x, training=False)[0], reduce_retracing=True)
        # Hidden in a function: the classifier owns the layers.
        self._features: Callable[[], Any] = lambda: features
        self._before = Snapshot(self, "before", classifier.variables)

    def begin_epoch(self) -> None:
        super().begin_epoch()
        paced = self.training_objective
        if paced.take(self.intrinsic_dimension(seed=paced.epochs_begun)):
            self._before.restore()
        elif not paced.has_turned:
            self._before.take()

    def intrinsic_dimension(self, seed: int) -> float:
        """The mean LID over 1280 training examples drawn by `seed`; NaN if no LID is finite."""
        chosen = _sample(self.whole_sets.train, _SAMPLE, seed)
        parts = [self._features()(element["inputs"]) for element, _ in chosen]
        features = tf.cast(tf.concat(parts, axis=0), tf.float32).numpy()[:_SAMPLE]
        neighbours = self._arguments["d2l_neighbours"]
        smallest = len(features) // -(-len(features) // _BATCH)
        if seed == 0 and smallest <= neighbours:
            warnings.warn(
                f"d2l_neighbours: expected fewer than the {smallest} examples of a batch, received "
                f"{neighbours}; all other examples of the batch are used",
                stacklevel=2,
            )
        return mean_over_batches(features, neighbours, _BATCH, np.random.default_rng(seed))

    def constructor_arguments(self) -> dict[str, Any]:
        return self._arguments


def _read(variable: keras.Variable) -> Any:
    """A variable's value on the host, with or without a distribution strategy."""
    return variable.numpy()


def _sample(batches: tf.data.Dataset, size: int, seed: int) -> tf.data.Dataset:
    """About `size` random examples, equally many from each batch (or the whole batch)."""
    number = int(batches.cardinality())
    if number < 0:
        number = sum(1 for _ in batches)
    share = -(-size // number)

    def draw(index: Tensor, element: tuple[Element, Labels]) -> Any:
        length = tf.shape(element[0]["sample_id"])[0]
        key = tf.stack([tf.constant(seed, tf.int64), index])
        rows = tf.random.experimental.stateless_shuffle(tf.range(length), key)[:share]
        return tf.nest.map_structure(lambda values: tf.gather(values, rows), element)

    return batches.enumerate().map(draw)
