"""Learning to teach: a teacher decides which examples the classifier learns from."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.replicas import all_reduce_sum, global_mean, num_replicas
from tf_mwn.methods.teachers import specs
from tf_mwn.methods.teachers.taught_loss import TaughtLoss
from tf_mwn.tensors import Element, Labels, Logits, Tensor
from tf_mwn.training.phases import Phases, Snapshot
from tf_mwn.training.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearningToTeach(RobustModel):
    """Trains `classifier` on the examples that a teacher keeps, and the teacher by reward.

    The teacher learns in episodes. Each episode is a short training of a new student, the
    classifier with its initial weights. At every step the teacher keeps or drops each example of
    the batch at random, with a probability that it learns. The student steps on the mean loss of
    the kept examples. The reward of the episode is the student's success on the dev set, which is
    the meta set. If the reward is larger than usual, REINFORCE makes the decisions of the episode
    more probable. After the episodes comes one full training with the final teacher, whose
    decisions are still random.

    An episode gives one update of the teacher, and its reward depends little on any one of its many
    decisions. The estimated gradient is therefore mostly noise. After the default 10 episodes the
    method still leaves out about an eighth of the examples at random. docs/methods/teaching.md
    reports the results of longer teaching.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_classes: C.
        num_sample_ids: one more than the largest `sample_id`.
        steps_per_epoch: optimizer steps in an epoch.
        epochs: of the last training.
        seed: of the draws.
        l2t_episodes: number of episodes.
        l2t_episode_epochs: epochs of each episode; None for a tenth of `epochs`, at least 1.
        l2t_reward: "accuracy" is the mean dev accuracy over the last epoch of the episode. "speed"
            (the paper) is -ln(i/T), where i of T steps is the first with a dev accuracy of
            `l2t_accuracy`, or 0 if there is none. Speed carries no information until a student
            reaches that accuracy, so the default is accuracy.
        l2t_accuracy: the dev accuracy for "speed".

    Raises:
        TypeError, ValueError: an argument outside its range.

    Examples:
        >>> model = tf_mwn.LearningToTeach(classifier, num_classes=2, num_sample_ids=len(x),
        ...                                steps_per_epoch=2, epochs=1, l2t_episodes=1)
        >>> model.compile("sgd", meta_optimizer="adam")
        >>> history = model.fit(pairs, epochs=model.num_epochs, verbose=0)

    See Also:
        `MetaWeightNet`: learns what counts by the exact gradient, in every step.

    References:
        Fan, Tian, Qin, Li and Liu, Learning to Teach, ICLR 2018, https://arxiv.org/abs/1805.03643.
    """

    needs_meta_set = True
    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        num_classes: int,
        num_sample_ids: int,
        steps_per_epoch: int,
        epochs: int,
        seed: int = 0,
        l2t_episodes: int = specs.L2T_EPISODES.default,
        l2t_episode_epochs: int | None = specs.L2T_EPISODE_EPOCHS.default,
        l2t_reward: str = specs.L2T_REWARD.default,
        l2t_accuracy: float = specs.L2T_ACCURACY.default,
        **kwargs: Any,
    ) -> None:
        specs.L2T_REWARD.check(l2t_reward)
        self._accuracy = specs.L2T_ACCURACY.check(l2t_accuracy)
        self._steps_per_epoch = check_count("steps_per_epoch", steps_per_epoch)
        self._epochs = check_count("epochs", epochs)
        specs.L2T_EPISODES.check(l2t_episodes)
        specs.L2T_EPISODE_EPOCHS.check(l2t_episode_epochs)
        super().__init__(classifier, TaughtLoss(num_classes, num_sample_ids, seed), **kwargs)
        self.phases = Phases(self, specs.l2t_lengths(epochs, l2t_episodes, l2t_episode_epochs))
        self._initial = Snapshot(self, "initial", classifier.variables)
        self._arguments = {
            "num_classes": num_classes,
            "num_sample_ids": num_sample_ids,
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "seed": seed,
            "l2t_episodes": l2t_episodes,
            "l2t_episode_epochs": l2t_episode_epochs,
            "l2t_reward": l2t_reward,
            "l2t_accuracy": l2t_accuracy,
        }

    @property
    def teacher(self) -> TaughtLoss:
        """The training objective, which holds the teacher's policy and its state."""
        return self.training_objective

    def compile(
        self,
        optimizer: Any,
        meta_optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """As `RobustModel.compile`, and `meta_optimizer` for the teacher (Adam by default)."""
        super().compile(optimizer, loss=loss, metrics=metrics, **kwargs)
        self.meta_optimizer = keras.optimizers.get(meta_optimizer)
        self.meta_optimizer.build(self.teacher.policy.trainable_variables)

    def state_variables(self) -> list[keras.Variable]:
        return [*super().state_variables(), *self.meta_optimizer.variables]

    @property
    def in_episode(self) -> bool:
        """Whether the teacher learns, which it does except in the last training."""
        return self.phases.current != "final"

    def step_kind(self) -> str:
        return "episode" if self.in_episode else "final"

    def begin_phase(self, phase: str) -> None:
        """Begins with a new student: initial weights, a new optimizer and no progress."""
        if self.phases.epochs_done:
            self._initial.restore()
            self.reset_optimizer()
        else:
            self._initial.take()
        epochs = self.phases.lengths[phase]
        self.teacher.begin_training(epochs * self._steps_per_epoch)

    def begin_epoch(self) -> None:
        super().begin_epoch()
        self.teacher.begin_epoch()

    def end_epoch(self) -> None:
        learns = self.in_episode
        super().end_epoch()
        if learns and self.phases.is_starting:
            self._learn_policy()

    def _learn_policy(self) -> None:
        """Θ ← meta_optimizer(-∇ expected reward), at the end of an episode."""
        by_speed = self._arguments["l2t_reward"] == "speed"
        reward = self.teacher.speed() if by_speed else float(self.teacher.dev_accuracy())
        gradient = self.teacher.reinforce.end_episode(reward)
        variables = self.teacher.policy.trainable_variables

        def update() -> Any:
            # Every replica holds the same gradient, and the optimizer sums over replicas.
            self.meta_optimizer.apply([g / num_replicas() for g in gradient], variables)

        self.distribute_strategy.run(update)

    def learn_objective(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> None:
        """Evaluates the student on the dev set, and in episodes records the step's decisions."""
        logits = self.classifier(element["meta_inputs"], training=False)
        logits = tf.cast(logits, linear.logits.dtype)
        labels = element["meta_labels"]
        loss = global_mean(self.per_example_loss(labels, logits))
        accuracy = global_mean(tf.cast(_is_right(labels, logits), loss.dtype))
        loss, accuracy = all_reduce_sum((loss, accuracy))
        self.teacher.observe_dev(loss, accuracy, batch.step, self._accuracy)
        if self._step_kind != "final":
            self.teacher.record_decisions(tf.stop_gradient(linear.logits), batch)

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> tf.Tensor:
        """The current probability [B] that the teacher keeps each example."""
        return self.teacher.keep_probability(logits, self.training_batch(labels, sample_id))

    def constructor_arguments(self) -> dict[str, Any]:
        return self._arguments

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        if config:
            config["meta_optimizer"] = keras.saving.serialize_keras_object(self.meta_optimizer)
        return config


def _is_right(labels: Labels, logits: Logits) -> tf.Tensor:
    if labels.shape.rank == logits.shape.rank and labels.shape[-1] != 1:
        labels = tf.argmax(labels, axis=-1)
    return tf.reshape(tf.cast(labels, tf.int64), [-1]) == tf.argmax(logits, axis=-1)
