"""The objective of learning to teach: the mean loss of the examples that the teacher keeps."""

import math

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.replicas import all_reduce_sum, global_mean, state
from tf_mwn.methods.teachers.teacher_policy import Reinforce, TeacherPolicy, teaching_features
from tf_mwn.tensors import Tensor
from tf_mwn.training.random_draws import uniform


@keras.saving.register_keras_serializable(package="tf_mwn")
class TaughtLoss(TrainingObjective):
    """T = Σ a_i ℓ_i / Σ a_i, where a_i is 1 if a draw of the teacher keeps example i, else 0.

    Sums run over the global batch. T is 0 if no example is kept.

    Args:
        num_classes: C.
        num_sample_ids: N; the `sample_id` of a batch is in [0, N). A draw covers all examples, so
            it does not depend on how devices share the batch.
        seed: of the draws.

    Attributes:
        policy: the teacher.
        reinforce: the teacher's learning rule.
    """

    takes_sample_weight = True

    def __init__(self, num_classes: int, num_sample_ids: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes)
        self.num_sample_ids = check_count("num_sample_ids", num_sample_ids)
        self.seed = seed
        self.policy = TeacherPolicy(2 * num_classes + 5, name="policy", dtype=self.dtype_policy)
        self.reinforce = Reinforce(self, self.policy.trainable_variables)
        self._draws = state(self, "draws", dtype="int32")
        self._steps = state(self, "steps", dtype="int32")
        self._training_loss = state(self, "training_loss")
        self._best_dev_loss = state(self, "best_dev_loss")
        self._reached = state(self, "reached", dtype="int32")
        self._dev_accuracy = state(self, "dev_accuracy")
        self._dev_batches = state(self, "dev_batches")
        self.begin_training(1)

    def begin_training(self, steps: int) -> None:
        """Begins a new student's training of `steps` optimizer steps."""
        self._steps.assign(steps)
        # The loss of a uniform prediction, which the features scale to 1.
        for variable in (self._training_loss, self._best_dev_loss):
            variable.assign(math.log(self.num_classes))
        self._reached.assign(0)
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Begins a new epoch, and with it a new mean of the dev accuracy."""
        self._dev_accuracy.assign(0.0)
        self._dev_batches.assign(0.0)

    def observe(self, logits, batch: TrainingBatch) -> None:
        """Counts the draw and adds the batch to the mean training loss."""
        self._draws.assign_add(1)
        loss = all_reduce_sum(global_mean(batch.losses(logits)))
        mean = tf.convert_to_tensor(self._training_loss)
        share = 1 / (1 + tf.cast(batch.step, mean.dtype))
        self._training_loss.assign(mean + share * (tf.cast(loss, mean.dtype) - mean))

    def observe_dev(self, loss: Tensor, accuracy: Tensor, step: Tensor, threshold: float) -> None:
        """Records the student's loss and accuracy on a batch of the dev set.

        Args:
            loss, accuracy: scalars, the same on every replica.
            step: optimizer steps so far.
            threshold: the accuracy for `speed`; the first step that reaches it is remembered.
        """
        best = tf.convert_to_tensor(self._best_dev_loss)
        self._best_dev_loss.assign(tf.minimum(best, tf.cast(loss, best.dtype)))
        reached = tf.convert_to_tensor(self._reached)
        now = (reached == 0) & (accuracy >= threshold)
        self._reached.assign(tf.where(now, tf.cast(step, reached.dtype) + 1, reached))
        self._dev_accuracy.assign_add(tf.cast(accuracy, best.dtype))
        self._dev_batches.assign_add(1.0)

    def dev_accuracy(self) -> tf.Tensor:
        """Mean accuracy on the dev set in this epoch so far; 0 at its start."""
        total, batches = map(tf.convert_to_tensor, (self._dev_accuracy, self._dev_batches))
        return tf.math.divide_no_nan(total, batches)

    def speed(self) -> float:
        """-ln(i/T) for the first step i of T that reached the threshold; 0 if none did."""
        reached, steps = (int(keras.ops.convert_to_numpy(v)) for v in (self._reached, self._steps))
        return math.log(steps / reached) if reached else 0.0

    def features(self, logits, batch: TrainingBatch) -> tf.Tensor:
        """The policy's input, [B, 2 C + 5]; mean losses are in units of ln C and at most 1."""
        training, best = map(tf.convert_to_tensor, (self._training_loss, self._best_dev_loss))
        passed = tf.cast(batch.step, best.dtype) / tf.cast(self._steps, best.dtype)
        uniform_loss = math.log(self.num_classes)
        student = tf.stack([passed, training / uniform_loss, best / uniform_loss])
        student = tf.clip_by_value(student, 0, 1)
        return tf.cast(teaching_features(batch.labels, logits, student), self.compute_dtype)

    def keep_probability(self, logits, batch: TrainingBatch) -> tf.Tensor:
        """The probability [B] that each example is kept."""
        return tf.sigmoid(self.policy(self.features(logits, batch)))

    def kept(self, logits, batch: TrainingBatch) -> tf.Tensor:
        """[B]; 1 for the examples that are kept at this step, 0 for the others."""
        drawn = uniform([self.num_sample_ids], self.seed, self._draws, "kept examples")
        drawn = tf.gather(drawn, batch.sample_id)
        return tf.cast(drawn <= self.keep_probability(logits, batch), logits.dtype)

    def record_decisions(self, logits, batch: TrainingBatch) -> None:
        """Adds the decisions of this step to those that the teacher learns from."""
        kept = self.kept(logits, batch)
        scores = self.policy.score(self.features(logits, batch), kept)
        number = tf.cast(tf.shape(kept)[0], scores[0].dtype)
        self.reinforce.add_scores(*all_reduce_sum((scores, number)))

    def objective(self, logits, batch: TrainingBatch):
        """This replica's share of T, and a [B]."""
        kept = self.kept(tf.stop_gradient(logits), batch)
        losses = batch.losses(logits)
        counted = batch.counted(kept)
        number = all_reduce_sum(tf.reduce_sum(counted))
        number = tf.where(number > 0, number, tf.ones_like(number))
        return tf.reduce_sum(counted * losses) / number, kept

    def scalars(self):
        """The reward of the last episode and the baseline."""
        return {"reward": self.reinforce.reward, "baseline": self.reinforce.baseline}

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_sample_ids": self.num_sample_ids,
            "seed": self.seed,
        }
