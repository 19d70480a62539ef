"""Fidelity-weighted learning: a teacher re-labels and weighs the training set."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, check_count
from tf_mwn.data.streams.pairing import Pairing
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.replicas import state
from tf_mwn.losses.targets import as_logits, target_distribution
from tf_mwn.messages import long_step
from tf_mwn.methods.teachers import specs
from tf_mwn.methods.teachers.gaussian_process_teacher import GaussianProcessTeacher, check_teacher
from tf_mwn.tensors import Inputs, Logits, Tensor
from tf_mwn.training.classifiers import with_features
from tf_mwn.training.example_memory import ExampleMemory
from tf_mwn.training.phases import Phases
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import evaluated


@keras.saving.register_keras_serializable(package="tf_mwn")
class FidelityWeightedLoss(TrainingObjective):
    """T = (1/n) Σ exp(-β Σ_i) ℓ(ȳ_i, z_i), with labels ȳ and variances Σ of a teacher.

    An example without a teacher's label keeps its given label and has the weight 1.

    Args:
        num_sample_ids: N, see `ExampleMemory`.
        num_classes: C. The teacher's labels are state [N, C]. They take 4 N C bytes, which is
            200 MB for a million examples of 50 classes, and as much again in each checkpoint.
        beta: β, at least 0.

    Raises:
        TypeError, ValueError: an argument outside its range.
    """

    takes_sample_weight = True

    def __init__(
        self, num_sample_ids: int, num_classes: int, beta: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._num_classes = check_count("num_classes", num_classes)
        self._beta = NON_NEGATIVE.check("beta", beta)
        self._variances = self._memory.add("variances", 0.0)
        self._labels = state(self, "labels", (self._memory.size, self._num_classes))

    def be_taught(self, sample_id: np.ndarray, labels: np.ndarray, variances: np.ndarray) -> None:
        """Sets the labels [M, C] and variances [M] of the examples `sample_id` [M]."""
        kept_labels = self._labels.numpy().copy()
        kept_variances = self._variances.numpy().copy()
        kept_labels[sample_id], kept_variances[sample_id] = labels, variances
        self._labels.assign(kept_labels)
        self._variances.assign(kept_variances)

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        logits = as_logits(logits)
        labels = tf.cast(self._memory.of(self._labels, batch), logits.dtype)
        taught = tf.reduce_sum(labels, axis=-1, keepdims=True) > 0
        labels = tf.where(taught, labels, target_distribution(batch.labels, logits))
        weights = tf.exp(-self._beta * self._memory.of(self._variances, batch))
        weights = tf.cast(weights, logits.dtype)
        return batch.mean(weights * batch.per_example_loss(labels, logits)), weights

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_sample_ids": self._memory.size,
            "num_classes": self._num_classes,
            "beta": self._beta,
        }


@keras.saving.register_keras_serializable(package="tf_mwn")
class FidelityWeighted(RobustModel):
    """A student, and a Gaussian process that teaches it what the meta set shows.

    1. The student, which is the user's classifier, trains on the given labels with weights of 1.
    2. The teacher is fitted to the meta set on the student's features, the input of its last
       layer. It gives every training example a label ȳ, the posterior mean, and a variance Σ.
    3. The student and its optimizer continue on the teacher's labels, with the weights exp(-β Σ).

    `whole_sets` must hold both sets; the training steps use no meta batch. The teacher runs before
    the first epoch of the last phase. See `GaussianProcessTeacher` for its time and
    `FidelityWeightedLoss` for its memory.

    Args:
        classifier: built functional or Sequential model that returns logits [B, C], with features
            [B, F] before its last layer with weights.
        num_sample_ids: the `sample_id` of a batch is in [0, num_sample_ids).
        epochs: of the first phase.
        fwl_epochs: of the last phase.
        fwl_beta: β; 0 trusts all labels of the teacher equally.
        fwl_length_scale: see `GaussianProcessTeacher`.
        fwl_clusters: number of Gaussian processes. Meta sets of several thousand examples need
            more than one.

    Raises:
        ValueError: the classifier's features are not known, or a value is outside its range.

    Examples:
        >>> model = tf_mwn.FidelityWeighted(classifier, len(x), epochs=1, fwl_epochs=1)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y, x_meta, y_meta)
        >>> history = model.fit(pairs, epochs=model.num_epochs, verbose=0)

    See Also:
        `GoldLossCorrection`: corrects labels class by class.

    References:
        Dehghani et al., ICLR 2018, https://arxiv.org/abs/1711.02799. There the last phase also
        trains on the meta set; here it trains on the training set alone.
    """

    needs_meta_set = True
    needs_whole_sets = True

    def __init__(
        self,
        classifier: keras.Model,
        num_sample_ids: int,
        epochs: int,
        fwl_epochs: int = specs.FWL_EPOCHS.default,
        fwl_beta: float = specs.FWL_BETA.default,
        fwl_length_scale: str = specs.FWL_LENGTH_SCALE.default,
        fwl_clusters: int = specs.FWL_CLUSTERS.default,
        **kwargs: Any,
    ) -> None:
        num_classes = with_features(classifier).outputs[1].shape[-1]
        objective = FidelityWeightedLoss(num_sample_ids, num_classes, fwl_beta)
        super().__init__(classifier, objective, **kwargs)
        specs.FWL_LENGTH_SCALE.check(fwl_length_scale)
        self._arguments = {
            "num_sample_ids": num_sample_ids,
            "epochs": epochs,
            "fwl_epochs": fwl_epochs,
            "fwl_beta": fwl_beta,
            "fwl_length_scale": fwl_length_scale,
            "fwl_clusters": specs.FWL_CLUSTERS.check(fwl_clusters),
        }
        self.phases = Phases(self, {"epochs": epochs, "fwl_epochs": fwl_epochs})

    def compile(self, optimizer: Any, loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As `RobustModel.compile`, with a loss that takes distributions [B, C] as labels."""
        super().compile(optimizer, loss=loss, metrics=metrics, **kwargs)
        row = np.full((1, self.classifier.output_shape[-1]), 0.5, keras.config.floatx())
        try:
            fits = self.per_example_loss.of_rows(row, row).shape == (1,)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError):
            fits = False
        if not fits:
            raise ValueError(
                "loss: expected a loss that takes the teacher's labels, distributions [B, C], "
                f"received {loss!r}"
            )

    def prepared(self, data: Any, pairing: Pairing | None) -> Any:
        data = super().prepared(data, pairing)
        if self.whole_sets is not None:
            if self.whole_sets.meta is None:
                raise ValueError("whole_sets: expected a meta set, received none")
            size = sum(len(labels) for _, labels in self.whole_sets.meta)
            check_teacher(size, self._arguments["fwl_clusters"])
        return data

    def begin_phase(self, phase: str) -> None:
        if phase == "fwl_epochs":
            with long_step("fitting the teacher to the meta set and labelling the training set"):
                self.consult_teacher()

    def consult_teacher(self) -> None:
        """Fits the teacher to the meta set and labels the training set."""
        network = with_features(self.classifier)

        def outputs(inputs: Inputs) -> Any:
            return network(inputs, training=False)

        trusted = list(evaluated(outputs, self.whole_sets.meta))  # type: ignore[arg-type]
        teacher = GaussianProcessTeacher(
            np.concatenate([features for (features, _), _, _ in trusted]),
            np.concatenate([target_distribution(y, logits) for (_, logits), y, _ in trusted]),
            self._arguments["fwl_length_scale"],
            self._arguments["fwl_clusters"],
        )
        parts = [
            (ids, *teacher(features))
            for (features, _), _, ids in evaluated(outputs, self.whole_sets.train)
        ]
        self.training_objective.be_taught(*map(np.concatenate, zip(*parts, strict=True)))

    def constructor_arguments(self) -> dict[str, Any]:
        return self._arguments
