"""Co-teaching: two networks, each trained on the examples that the other one finds easy."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import BELOW_ONE, POSITIVE, check_count
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import SEES_LOSSES, TrainingBatch, TrainingObjective, logits_gradient
from tf_mwn.engine.optimizers import apply_gradient
from tf_mwn.engine.replicas import all_gather, all_reduce_sum, num_replicas, own_rows
from tf_mwn.methods.teachers import specs
from tf_mwn.tensors import Logits, Logs, Tensor
from tf_mwn.training.classifiers import check_classifier, new_classifier
from tf_mwn.training.elements import unpacked
from tf_mwn.training.example_memory import ExampleMemory
from tf_mwn.training.robust_model import RobustModel


def small_losses(losses: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """1 for exactly `number` smallest losses of each column, 0 for the others; [B, K].

    Of equal losses the first is the smaller.

    Args:
        losses: [B, K].
        number: scalar, in [0, B].
    """
    ranks = tf.argsort(tf.argsort(losses, axis=0, stable=True), axis=0)
    return tf.cast(ranks < number, losses.dtype)


@keras.saving.register_keras_serializable(package="tf_mwn")
class SmallLossSelection(TrainingObjective):
    """T = the mean loss of the selected examples, and the schedule of their number.

    After t epochs the fraction forget(t) = τ min((t/T_k)^c, 1) of each global batch is left out.

    Args:
        num_sample_ids: see `ExampleMemory`.
        steps_per_epoch: optimizer steps in an epoch.
        forget_rate: τ, in [0, 1).
        gradual_epochs: T_k, at least 1.
        exponent: c, above 0.

    Raises:
        TypeError, ValueError: an argument outside its range.
    """

    takes_sample_weight = True
    sees = SEES_LOSSES

    def __init__(
        self,
        num_sample_ids: int,
        steps_per_epoch: int,
        forget_rate: float,
        gradual_epochs: int = 10,
        exponent: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._steps = check_count("steps_per_epoch", steps_per_epoch)
        self._rate = BELOW_ONE.check("forget_rate", forget_rate)
        self._gradual = check_count("gradual_epochs", gradual_epochs)
        self._exponent = POSITIVE.check("exponent", exponent)
        self._shares = self._memory.add("shares", 1.0)

    def forgotten(self, step: tf.Tensor) -> tf.Tensor:
        """forget(t) in the epoch of optimizer step `step`."""
        progress = tf.cast(step // self._steps, self.dtype) / self._gradual
        return self._rate * tf.minimum(progress**self._exponent, 1.0)

    def selected(self, losses: tf.Tensor, batch: TrainingBatch) -> tf.Tensor:
        """Selects the examples with the smallest losses of the global batch for each network.

        Args:
            losses: [B, K] of K networks.

        Returns:
            [B, K]; 1 for (1 - forget(t)) n of the n examples in the global batch, at least for one,
            and 0 for the others.
        """
        every = all_gather(tf.stop_gradient(losses))
        size = tf.cast(tf.shape(every)[0], self.dtype)
        # A rounding error may put the product below a whole number: (1 - 0.4) 100.
        number = tf.floor((1.0 - self.forgotten(batch.step)) * size + 1e-3)
        number = tf.maximum(tf.cast(number, tf.int32), 1)
        return own_rows(small_losses(every, number), tf.shape(losses)[0])

    def record_selection(self, selected: tf.Tensor, batch: TrainingBatch) -> tf.Tensor:
        """Remembers and returns the share [B] of networks that select each example."""
        shares = tf.reduce_mean(selected, axis=-1)
        kept = tf.convert_to_tensor(self._shares)
        values, seen = self._memory.spread(tf.cast(shares, kept.dtype), batch)
        self._shares.assign(tf.where(seen > 0, values, kept))
        return shares

    def mean_over(self, selected: Tensor, logits: Logits, batch: TrainingBatch) -> Tensor:
        """This replica's share of the mean loss over `selected` [B]; shares add up."""
        counted = batch.counted(selected)
        number = all_reduce_sum(tf.reduce_sum(counted))
        return tf.math.divide_no_nan(tf.reduce_sum(counted * batch.losses(logits)), number)

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """T for the shares of each example's last visit, and these shares [B]."""
        shares = tf.cast(self._memory.of(self._shares, batch), logits.dtype)
        return self.mean_over(shares, logits, batch), shares

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_sample_ids": self._memory.size,
            "steps_per_epoch": self._steps,
            "forget_rate": self._rate,
            "gradual_epochs": self._gradual,
            "exponent": self._exponent,
        }


@keras.saving.register_keras_serializable(package="tf_mwn")
class CoTeaching(RobustModel):
    """Two networks; each selects examples of small loss for the other one to learn from.

    Both see every batch. A network that begins to memorise a wrong label gives it a small loss.
    That selection trains only its peer, which makes other mistakes.

    The first network, the user's classifier, predicts. The weight of an example is the share of
    the networks that selected it at its last visit: 0, 1/2 or 1, and 1 before the first visit.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_sample_ids: the `sample_id` of a batch is in [0, num_sample_ids).
        steps_per_epoch: optimizer steps in an epoch.
        noise_rate: fraction of wrong labels, the default of τ.
        co_teaching_forget_rate: τ, the final fraction that is left out.
        co_teaching_gradual_epochs: T_k, epochs until τ is reached; 10 in the paper.
        co_teaching_exponent: c of the schedule; 1 in the paper.
        peer: the second network; by default one of the same architecture with new initial weights.
            It is needed if the classifier starts from the weights of another training or from
            initializers with fixed seeds.

    Raises:
        TypeError, ValueError: as `RobustModel`, for either network. Neither rate is given, a value
            is outside its range, or the new network has the classifier's own weights.

    Examples:
        >>> model = tf_mwn.CoTeaching(classifier, len(x), steps_per_epoch=2, noise_rate=0.2)
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)
        >>> model.sample_weight(y, classifier(x), np.arange(len(x))).shape
        TensorShape([100])

    See Also:
        `MentorNetPD`: another method that needs no clean examples.

    References:
        Han et al., NeurIPS 2018, https://arxiv.org/abs/1804.06872. The selected losses are
        averaged, as in the paper. The authors' code divides the mean by their number once more.
    """

    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        num_sample_ids: int,
        steps_per_epoch: int,
        noise_rate: float | None = None,
        co_teaching_forget_rate: float | None = specs.CO_TEACHING_FORGET_RATE.default,
        co_teaching_gradual_epochs: int = specs.CO_TEACHING_GRADUAL_EPOCHS.default,
        co_teaching_exponent: float = specs.CO_TEACHING_EXPONENT.default,
        peer: keras.Model | None = None,
        **kwargs: Any,
    ) -> None:
        rate = noise_rate if co_teaching_forget_rate is None else co_teaching_forget_rate
        if rate is None:
            raise ValueError("co_teaching_forget_rate: expected a number in [0, 1), received None")
        self._arguments: dict[str, Any] = {
            "num_sample_ids": num_sample_ids,
            "steps_per_epoch": steps_per_epoch,
            "co_teaching_forget_rate": rate,
            "co_teaching_gradual_epochs": co_teaching_gradual_epochs,
            "co_teaching_exponent": co_teaching_exponent,
        }
        selection = SmallLossSelection(*self._arguments.values())
        super().__init__(classifier, selection, **kwargs)
        self.peer = _other_network(classifier) if peer is None else peer
        check_classifier(self.peer)

    def compile(self, optimizer: Any, loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As `RobustModel.compile`; the peer has an optimizer of the same configuration.

        The peer's optimizer follows changes of the learning rate by callbacks.
        """
        super().compile(optimizer, loss=loss, metrics=metrics, **kwargs)
        self.peer_optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        self.peer_optimizer.build(self.peer.trainable_variables)

    def state_variables(self) -> list[keras.Variable]:
        return [*super().state_variables(), *self.peer_optimizer.variables]

    def train_step(self, data: Any) -> Logs:
        element, labels = unpacked(data, self.needs_meta_set)
        counts = element.get("sample_weight")
        batch = self.training_batch(labels, element["sample_id"], counts)
        own = self.linearise(element["inputs"])
        peers = self.linearise(element["inputs"], self.peer, self.peer_optimizer)
        seen = [self.seen(network.logits, batch) for network in (own, peers)]
        losses = tf.stack([rows.losses(logits) for logits, rows in seen], axis=1)
        rows = seen[0][1]
        selected = self.training_objective.selected(losses, rows)
        weights = self.training_objective.record_selection(selected, rows)
        # Crosswise: each network steps on the other's selection.
        self.actual_step(own, self._cotangent(own, selected[:, 1], batch))
        self._peer_step(peers, self._cotangent(peers, selected[:, 0], batch))
        return self.update_metrics(element, labels, own.unadjusted_logits, counts, weights)

    def _cotangent(
        self, linear: Linearisation, selected: Tensor, batch: TrainingBatch
    ) -> tf.Tensor:
        def objective(logits: Logits) -> tuple[Tensor, Tensor | None]:
            return self.training_objective.mean_over(selected, *self.seen(logits, batch)), None

        return logits_gradient(objective, linear.logits)[0]

    def _peer_step(self, linear: Linearisation, cotangent: tf.Tensor) -> None:
        if isinstance(self.peer_optimizer.learning_rate, keras.Variable):
            self.peer_optimizer.learning_rate.assign(self.optimizer.learning_rate)
        gradient = linear.pullback(cotangent, regularisation_scale=1.0 / num_replicas())
        apply_gradient(self.peer_optimizer, gradient, self.peer.trainable_variables)
        linear.commit()

    def constructor_arguments(self) -> dict[str, Any]:
        return {**self._arguments, "peer": self.peer}


def _other_network(classifier: keras.Model) -> keras.Model:
    """A network of the same architecture with other initial weights."""
    other = new_classifier(classifier)
    pairs = zip(classifier.trainable_variables, other.trainable_variables, strict=True)
    if all(np.array_equal(*map(keras.ops.convert_to_numpy, pair)) for pair in pairs):
        raise ValueError(
            "peer: expected a network with other initial weights than the classifier, received "
            "initializers that are constant or have fixed seeds; pass a second classifier as peer="
        )
    return other
