"""The S-Model: a noise channel after the classifier, learned with it."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.optimizers import apply_gradient
from tf_mwn.engine.replicas import num_replicas, state
from tf_mwn.label_noise.class_means import class_means
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.label_correction import forward_correction
from tf_mwn.losses.targets import target_distribution
from tf_mwn.messages import long_step
from tf_mwn.methods.correction import specs
from tf_mwn.tensors import Labels, Logits, Logs, Tensor
from tf_mwn.training.classifiers import with_features
from tf_mwn.training.elements import unpacked
from tf_mwn.training.phases import Phases
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of

# The softmax of the identity times this is the identity, with a gradient of exactly 0.
_SATURATED = 1e3
# Keeps the logarithm of a count of 0 finite.
_EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="tf_mwn")
class Channel(TrainingObjective):
    """The mean of -ln Σ_i T_iy p_i, where T is the row-wise softmax of b: the simple model.

    b is a start, which is state, plus a learned deviation. Weight decay of the optimizer therefore
    pulls T to its start. Applied to b itself it would pull T to the uniform matrix. The start is
    the identity until `begin_at` sets it.

    Args:
        num_classes: C.
    """

    takes_sample_weight = True

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes)
        identity = keras.initializers.Identity(_SATURATED)
        self.start = state(self, "start", (num_classes, num_classes), identity)
        self.deviation = self.add_weight(
            name="deviation", shape=(num_classes, num_classes), initializer="zeros"
        )

    @property
    def biases(self) -> tf.Tensor:
        """b, [C, C]."""
        return tf.convert_to_tensor(self.start) + tf.convert_to_tensor(self.deviation)

    def transition_matrix(self) -> tf.Tensor:
        """T [C, C], T_ij = P(given label j | class i)."""
        return tf.nn.softmax(self.biases)

    def begin_at(self, matrix: np.ndarray) -> None:
        """Sets T to a matrix [C, C] of probabilities, which may be 0."""
        self.start.assign(np.log(np.asarray(matrix) + _EPSILON))
        self.deviation.assign(np.zeros_like(matrix))

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """This replica's share of the mean; no weights."""
        matrix = self.transition_matrix()
        losses = forward_correction(batch.labels, logits, transition_matrix=matrix)
        return batch.mean(losses), None

    def scalars(self) -> dict[str, Tensor]:
        """The mean probability of an unchanged label under T."""
        return {"channel_diagonal": tf.linalg.trace(self.transition_matrix()) / self.num_classes}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="tf_mwn")
class FeatureChannel(Channel):
    """T_ij(x) = softmax over j of u_ij·h(x) + b_ij: the complex model. u starts at 0.

    Args:
        num_classes: C.
        num_features: F, the length of the features h(x).
    """

    def __init__(self, num_classes: int, num_features: int, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        self.num_features = check_count("num_features", num_features)
        self.kernel = self.add_weight(
            name="kernel", shape=(num_features, num_classes * num_classes), initializer="zeros"
        )

    def log_transition(self, features: tf.Tensor) -> tf.Tensor:
        """ln T(x), [B, C, C], for features h(x), [B, F]."""
        shape = (-1, self.num_classes, self.num_classes)
        slopes = tf.reshape(tf.matmul(features, tf.convert_to_tensor(self.kernel)), shape)
        return tf.nn.log_softmax(slopes + self.biases)

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """As `Channel.objective`, for concatenated logits and features [B, C + F]."""
        logits, features = tf.split(logits, (self.num_classes, self.num_features), axis=1)
        log_p = tf.nn.log_softmax(logits)[:, :, tf.newaxis]
        log_given = tf.reduce_logsumexp(log_p + self.log_transition(features), axis=1)
        return batch.mean(expectation(target_distribution(batch.labels, logits), -log_given)), None

    def scalars(self) -> dict[str, Tensor]:
        """None: T differs from example to example."""
        return {}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_features": self.num_features}


@keras.saving.register_keras_serializable(package="tf_mwn")
class SModel(RobustModel):
    """Learns P(given label j | class i) = T_ij together with the classifier, whose p predicts.

    The cross-entropy of the given labels under Σ_i T_ij p_i stays the same if T and p are permuted
    together. The start of T therefore decides what p means. There are two starts:

    - From counts, the default. After some plain training, b_ij is ln of the share of the given
      label j among the training examples predicted as i. Training continues with the trained
      weights and the state of the optimizer, as in the authors' code.
    - From a noise rate σ. T has 1 - σ on the diagonal and σ/(C - 1) elsewhere, from the first step
      on. The authors add a jitter; this class does not.

    The authors pre-train until the loss on held-out given labels stops falling. Here pre-training
    takes a fixed fraction of the epochs. It must end before wrong labels are memorised, because a
    classifier that reproduces the given labels shows no noise. The loss of `compile` is only
    logged.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_classes: C.
        epochs: of the whole training.
        s_model_pretraining: fraction of the epochs of plain training. Either part has at least one
            epoch.
        s_model_noise_rate: σ to start from; None to start from counts.

    Examples:
        >>> model = tf_mwn.SModel(classifier, num_classes=2, epochs=2)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y)
        >>> history = model.fit(pairs, epochs=2, verbose=0)
        >>> model.channel.transition_matrix().shape
        TensorShape([2, 2])

    See Also:
        - `ComplexSModel`: a matrix that depends on the example.
        - `GoldLossCorrection`: the matrix from clean examples.

    References:
        Goldberger and Ben-Reuven, Training Deep Neural-Networks Using a Noise Adaptation Layer,
        ICLR 2017, section 3. https://openreview.net/forum?id=H12GRgcxg
    """

    def __init__(
        self,
        classifier: keras.Model,
        num_classes: int,
        epochs: int,
        s_model_pretraining: float = specs.S_MODEL_PRETRAINING.default,
        s_model_noise_rate: float | None = specs.S_MODEL_NOISE_RATE.default,
        **kwargs: Any,
    ) -> None:
        super().__init__(classifier, self.make_channel(classifier, num_classes), **kwargs)
        self._arguments = {
            "num_classes": num_classes,
            "epochs": check_count("epochs", epochs),
            "s_model_pretraining": specs.S_MODEL_PRETRAINING.check(s_model_pretraining),
            "s_model_noise_rate": specs.S_MODEL_NOISE_RATE.check(s_model_noise_rate),
        }
        if s_model_noise_rate is None:
            self.phases = Phases(self, specs.s_model_lengths(epochs, s_model_pretraining))
            self.needs_whole_sets = True
        else:
            self.channel.begin_at(_uniform_noise(num_classes, s_model_noise_rate))

    @staticmethod
    def make_channel(classifier: keras.Model, num_classes: int) -> Channel:
        """The channel for `classifier`, which is also its training objective."""
        return Channel(num_classes)

    @property
    def channel(self) -> Channel:
        """The noise channel."""
        return self.training_objective

    @property
    def channel_input(self) -> keras.Model:
        """The model that gives the channel its input; here the classifier."""
        return self.classifier

    def compile(self, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        """As `RobustModel.compile`; the optimizer steps the channel as well."""
        optimizer = keras.optimizers.get(optimizer)
        # Built here, because `super().compile` would build it for the classifier's variables.
        optimizer.build([*self.classifier.trainable_variables, *self.channel.trainable_variables])
        super().compile(optimizer, *args, **kwargs)

    def begin_phase(self, phase: str) -> None:
        if phase == "plain_epochs":
            return
        with long_step("estimating the channel on the training set"):
            logits, labels, _ = logits_of(self.classifier, self.whole_sets.train)
        logits = self.adjusted(tf.convert_to_tensor(logits))  # as the channel sees them
        classes = tf.one_hot(tf.argmax(logits, axis=1), self.channel.num_classes)
        given = target_distribution(labels, logits)
        self.channel.begin_at(class_means(classes, given))

    def train_step(self, data: Any) -> Logs:
        element, labels = unpacked(data, self.needs_meta_set)
        counts = element.get("sample_weight")
        network, channel = self.channel_input, self.channel
        linear = self.linearise(element["inputs"], network)
        cotangent, channel_gradient = self._gradients(
            linear.logits, self.training_batch(labels, element["sample_id"], counts)
        )
        gradient = linear.pullback(cotangent, regularisation_scale=1.0 / num_replicas())
        apply_gradient(
            self.optimizer,
            [*gradient, *channel_gradient],
            [*network.trainable_variables, *channel.trainable_variables],
        )
        linear.commit()
        logits = linear.unadjusted_logits[:, : channel.num_classes]
        return self.update_metrics(element, labels, logits, counts)

    def _gradients(self, outputs: Any, batch: TrainingBatch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Gradients of the objective in the channel's input and in the channel's variables."""
        outputs = tf.stop_gradient(outputs)
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            value, _ = self.channel.objective(outputs, batch)
        return tape.gradient(value, (outputs, self.channel.trainable_variables))

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> Tensor | None:
        """None: every example weighs the same."""

    def constructor_arguments(self) -> dict[str, Any]:
        return self._arguments


@keras.saving.register_keras_serializable(package="tf_mwn")
class ComplexSModel(SModel):
    """The S-Model with a channel that depends on the features, the input of the last layer.

    It starts as the simple model. One forward pass gives features and logits. The channel has
    C² (F + 1) variables, and a step B C² values. In the paper it is better than the simple model
    if there are few classes.

    Args:
        classifier: functional or Sequential model that returns logits [B, C].
        num_classes, epochs, s_model_pretraining, s_model_noise_rate: see `SModel`.

    Raises:
        ValueError: a classifier whose features are not known; see `classifiers.with_features`.

    Examples:
        >>> model = tf_mwn.ComplexSModel(classifier, num_classes=2, epochs=2)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y)
        >>> history = model.fit(pairs, epochs=2, verbose=0)

    See Also:
        `SModel`: one matrix for all examples.

    References:
        Goldberger and Ben-Reuven, ICLR 2017, section 3, equation 6.
        https://openreview.net/forum?id=H12GRgcxg
    """

    @staticmethod
    def make_channel(classifier: keras.Model, num_classes: int) -> keras.layers.Layer:
        features, _ = with_features(classifier).outputs
        return FeatureChannel(num_classes, features.shape[-1])

    @functools.cached_property
    def _logits_and_features(self) -> Callable[[], keras.Model]:
        features, logits = with_features(self.classifier).outputs
        joined = keras.layers.Concatenate(dtype=keras.config.floatx())([logits, features])
        model = keras.Model(self.classifier.inputs, joined)
        return lambda: model  # hidden in a function: the classifier owns the layers

    def adjusted(self, logits: Logits) -> Logits:
        """The logits and features [B, C + F], or the logits alone, with the logits adjusted."""
        classes = self.channel.num_classes
        own = super().adjusted(logits[:, :classes])
        return tf.concat([own, logits[:, classes:]], axis=-1)

    @property
    def channel_input(self) -> keras.Model:
        """A model with the classifier's layers that returns logits and features, [B, C + F]."""
        return self._logits_and_features()


def _uniform_noise(num_classes: int, rate: float) -> np.ndarray:
    """1 - σ on the diagonal, σ/(C - 1) elsewhere."""
    elsewhere = rate / (num_classes - 1)
    return elsewhere + (1 - rate - elsewhere) * np.eye(num_classes)
