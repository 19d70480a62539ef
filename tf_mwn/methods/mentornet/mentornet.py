"""MentorNet: a mentor, learned beforehand, weighs each example at each stage of training."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_transition_matrix
from tf_mwn.data.bias.noise import corrupt
from tf_mwn.engine.replicas import state
from tf_mwn.messages import long_step
from tf_mwn.methods.mentornet import specs
from tf_mwn.methods.mentornet.mentor_net import MentorNet
from tf_mwn.methods.mentornet.mentor_training import (
    data_driven_mentor,
    predefined_mentor,
    record_losses,
)
from tf_mwn.methods.mentornet.mentor_weighting import MentorWeighting
from tf_mwn.tensors import Labels, Logits, Tensor
from tf_mwn.training.classifiers import new_classifier
from tf_mwn.training.robust_model import RobustModel


class _Mentored(RobustModel):
    """Learns its mentor once, on the host before the first step; then trains with its weights."""

    def __init__(
        self, classifier: keras.Model, objective: MentorWeighting, is_ready: Any, **kwargs: Any
    ) -> None:
        super().__init__(classifier, objective, **kwargs)
        initial = "ones" if is_ready else "zeros"
        self._is_ready = state(self, "mentor_is_ready", initializer=initial, dtype="int32")

    @property
    def mentor(self) -> MentorNet:
        """g; `model.mentor.save(path)` writes it to a file."""
        return self.training_objective.mentor

    @property
    def mentor_is_ready(self) -> bool:
        """Whether the mentor has been learned or was given."""
        return bool(self._is_ready.numpy())

    def begin_epoch(self) -> None:
        super().begin_epoch()
        if not self.mentor_is_ready:
            with long_step("learning the mentor"):
                values = self.learn_mentor()
            for variable, value in zip(self.mentor.variables, values, strict=True):
                variable.assign(value)
            self._is_ready.assign(1)

    def learn_mentor(self) -> list[np.ndarray]:
        """The values of the mentor's variables."""
        raise NotImplementedError

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> Tensor | None:
        """The mentor's weights [B], before example dropout."""
        return self.training_objective.curve(self.per_example_loss(labels, logits))

    def artifacts(self) -> dict[str, Any]:
        return {"mentor.json": self.mentor.save}

    def constructor_arguments(self) -> dict[str, Any]:
        return self._arguments


@keras.saving.register_keras_serializable(package="tf_mwn")
class MentorNetPD(_Mentored):
    """MentorNet with a mentor that imitates a predefined curriculum. It needs no clean data.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_sample_ids: the `sample_id` of a batch is in [0, num_sample_ids).
        steps_per_epoch, epochs: of the whole training.
        mentor_curriculum: see `curriculum`; "mixed" is the paper's.
        mentor_percentile: the percentile of the losses that separates easy from hard examples, as
            a fraction. None for 0.75, as in the authors' commands for 20 and 40 % of noise. They
            take 0.5 for 80 %, and the default of their code is 0.7.
        mentor_example_dropout: see `rates_by_percent`. None for "0.5,17,0.05,83", as in the
            authors' commands.
        seed: of the mentor and the example dropout.

    Examples:
        >>> model = tf_mwn.MentorNetPD(classifier, len(x), steps_per_epoch=2, epochs=1)
        >>> model.compile("sgd")

    See Also:
        `MentorNetDD`: learns the mentor on clean examples.

    References:
        Jiang et al., MentorNet: Learning Data-Driven Curriculum for Very Deep Neural Networks on
        Corrupted Labels, ICML 2018. https://arxiv.org/abs/1712.05055
    """

    def __init__(
        self,
        classifier: keras.Model,
        num_sample_ids: int,
        steps_per_epoch: int,
        epochs: int,
        mentor_curriculum: str = specs.MENTOR_CURRICULUM.default,
        mentor_percentile: float | None = specs.MENTOR_PERCENTILE.default,
        mentor_example_dropout: str | None = specs.MENTOR_EXAMPLE_DROPOUT.default,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        specs.MENTOR_CURRICULUM.check(mentor_curriculum)
        objective = MentorWeighting(
            MentorNet(seed, name="mentor"),
            num_sample_ids,
            steps_per_epoch,
            epochs,
            0.75 if mentor_percentile is None else mentor_percentile,
            example_dropout=mentor_example_dropout or "0.5,17,0.05,83",
            seed=seed,
        )
        super().__init__(classifier, objective, is_ready=False, **kwargs)
        self._arguments: dict[str, Any] = {
            "num_sample_ids": num_sample_ids,
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "mentor_curriculum": mentor_curriculum,
            "mentor_percentile": mentor_percentile,
            "mentor_example_dropout": mentor_example_dropout,
            "seed": seed,
        }

    def learn_mentor(self) -> list[np.ndarray]:
        return predefined_mentor(self._arguments["mentor_curriculum"], self._arguments["seed"])


@keras.saving.register_keras_serializable(package="tf_mwn")
class MentorNetDD(_Mentored):
    """MentorNet with a curriculum from data: the mentor learns to recognise wrong labels.

    1. The clean meta set gets noisy labels.
    2. A student with the classifier's architecture and initial weights trains on it.
    3. The mentor learns 1(noisy label == clean label) from the losses of the student.
    4. The classifier trains on the training set with the mentor's weights.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_sample_ids: the `sample_id` of a batch is in [0, num_sample_ids).
        steps_per_epoch, epochs: of the whole training.
        transition_matrix: [C, C], P(noisy j | clean i) of the noisy labels; None with a `mentor`.
        mentor: a learned `MentorNet` or a file of `MentorNet.save`, from any data, classes and
            classifier. With it no meta set is needed.
        mentor_percentile: the percentile of the losses that the mentor compares with, as a
            fraction. None for 0.6, as in the authors' commands for 40 % of noise; they take 0.8
            for 20 % and 0.5 for 80 %.
        mentor_example_dropout: see `rates_by_percent`. None for "0.5,17,0.05,78,0.9,5", as in the
            authors' commands.
        mentor_burn_in: percent of training with weights 1. Afterwards the mentor gets this percent
            as the stage, until the end.
        mentor_student_epochs: of the student, on batches of 100. The paper gives no number. Labels
            that the student has memorised by `mentor_burn_in` percent teach the mentor nothing.
        seed: of the mentor, the noisy labels, the student's batches and the example dropout.

    Raises:
        ValueError: neither a transition matrix nor a mentor, or a file without a mentor.

    Examples:
        >>> matrix = [[0.8, 0.2], [0.2, 0.8]]
        >>> steps = {"steps_per_epoch": 2, "epochs": 1}
        >>> model = tf_mwn.MentorNetDD(classifier, len(x), **steps, transition_matrix=matrix,
        ...                            mentor_student_epochs=2)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y, x_meta, y_meta)

    See Also:
        - `MentorNetPD`: needs no clean examples.
        - `MentorNet`: the mentor, which can be saved and used again.

    References:
        Jiang et al., MentorNet: Learning Data-Driven Curriculum for Very Deep Neural Networks on
        Corrupted Labels, ICML 2018. https://arxiv.org/abs/1712.05055
    """

    def __init__(
        self,
        classifier: keras.Model,
        num_sample_ids: int,
        steps_per_epoch: int,
        epochs: int,
        transition_matrix: Any = None,
        mentor: MentorNet | str | os.PathLike[str] | None = specs.MENTOR.default,
        mentor_percentile: float | None = specs.MENTOR_PERCENTILE.default,
        mentor_example_dropout: str | None = specs.MENTOR_EXAMPLE_DROPOUT.default,
        mentor_burn_in: int = specs.MENTOR_BURN_IN.default,
        mentor_student_epochs: int = specs.MENTOR_STUDENT_EPOCHS.default,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if transition_matrix is None and mentor is None:
            raise ValueError(
                "mentor: expected a learned mentor, or a transition_matrix for noisy labels of "
                "the meta set, received neither"
            )
        if transition_matrix is not None:
            transition_matrix = check_transition_matrix(transition_matrix).tolist()
        is_given = mentor is not None
        if isinstance(mentor, (str, os.PathLike)):
            mentor = MentorNet.load(os.fspath(mentor))
        objective = MentorWeighting(
            MentorNet(seed, name="mentor") if mentor is None else mentor,
            num_sample_ids,
            steps_per_epoch,
            epochs,
            0.6 if mentor_percentile is None else mentor_percentile,
            burn_in=mentor_burn_in,
            freezes=True,
            example_dropout=mentor_example_dropout or "0.5,17,0.05,78,0.9,5",
            seed=seed,
        )
        super().__init__(classifier, objective, is_given, **kwargs)
        self._arguments: dict[str, Any] = {
            "num_sample_ids": num_sample_ids,
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "transition_matrix": transition_matrix,
            "mentor": keras.saving.serialize_keras_object(mentor) if is_given else None,
            "mentor_percentile": mentor_percentile,
            "mentor_example_dropout": mentor_example_dropout,
            "mentor_burn_in": mentor_burn_in,
            "mentor_student_epochs": specs.MENTOR_STUDENT_EPOCHS.check(mentor_student_epochs),
            "seed": seed,
        }

    @property
    def needs_whole_sets(self) -> bool:
        """True until the mentor has been learned."""
        return not self.mentor_is_ready

    def learn_mentor(self) -> list[np.ndarray]:
        inputs, labels = self._meta_set()
        seed = self._arguments["seed"]
        rng = np.random.default_rng(seed)
        given = corrupt(labels, self._arguments["transition_matrix"], rng)
        student = new_classifier(self.classifier)
        for variable, value in zip(student.variables, self.classifier.variables, strict=True):
            variable.assign(value)
        config = keras.saving.serialize_keras_object(self.optimizer)
        optimizer = keras.saving.deserialize_keras_object(config)
        epochs = self._arguments["mentor_student_epochs"]
        losses = record_losses(
            student, optimizer, self.per_example_loss, inputs, given, epochs, rng
        )
        return data_driven_mentor(losses, given == labels, seed)

    def _meta_set(self) -> Any:
        """Inputs, tensors [M, ...], and labels [M] of the whole meta set."""
        if self.whole_sets.meta is None:
            raise ValueError(
                "whole_sets: expected a meta set for the mentor of MentorNetDD, received none; "
                "give x_meta and y_meta, or a mentor"
            )
        inputs, labels = zip(*self.whole_sets.meta, strict=True)
        joined = tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=0), *inputs)
        known = np.concatenate([part.numpy() for part in labels])
        if known.ndim != 1:
            raise ValueError(
                "whole_sets: expected class numbers as labels of the meta set, "
                f"received shape {list(known.shape)}"
            )
        return joined, known
