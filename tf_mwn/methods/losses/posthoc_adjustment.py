"""Plain training whose predictions are corrected by the class shares."""

from collections.abc import Sequence

import keras

from tf_mwn.engine import keras_internals
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.logit_adjustment import LogitAdjustment


@keras.saving.register_keras_serializable(package="tf_mwn")
class PosthocAdjustment(CrossEntropy):
    """Trains the classifier's logits f plainly, and predicts from f - τ ln(π/ρ).

    `predicting_classifier` is the classifier followed by one layer of Keras that subtracts.

    Args:
        classifier: built Keras model that returns logits [B, C].
        class_counts: training examples of each given class, [C].
        logit_adjustment: τ, at least 0.
        target_shares: ρ, [C]; see `LogitAdjustment`.

    References:
        Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, equation 9,
        https://arxiv.org/abs/2007.07314.
    """

    def __init__(
        self,
        classifier: keras.Model,
        class_counts: Sequence[float],
        logit_adjustment: float = 1.0,
        target_shares: Sequence[float] | None = None,
        **kwargs,
    ):
        super().__init__(classifier, **kwargs)
        self.logit_adjustment = LogitAdjustment(class_counts, logit_adjustment, target_shares)
        offset = self.logit_adjustment.offset_of(classifier)
        corrected = _followed_by(
            classifier, keras.layers.Rescaling(1.0, offset=(-offset).tolist(), dtype="float32")
        )
        self._corrected = lambda: corrected  # hidden in a function: the classifier owns the layers

    @property
    def predicting_classifier(self) -> keras.Model:
        return self._corrected()

    def other_readings(self, logits):
        """The logits that plain training predicts from, to rounding, as "uncorrected"."""
        return {"uncorrected": logits + self.logit_adjustment.offset_of(self.classifier)}

    def _adjust_logits(self, strength, class_counts, target_shares):
        if strength:
            raise ValueError(
                "logit_adjustment: expected it in the constructor of PosthocAdjustment, "
                "received it in compile"
            )

    def constructor_arguments(self):
        return self.logit_adjustment.arguments()

    def get_compile_config(self):
        config = super().get_compile_config()
        return {name: config[name] for name in config if name not in self.constructor_arguments()}


def _followed_by(classifier: keras.Model, layer: keras.layers.Layer) -> keras.Model:
    """A model of the classifier's variables whose output goes through `layer`."""
    if keras_internals.has_ordered_layers(classifier):
        # A Sequential model that was never called has `inputs`, and no `input`.
        inputs = classifier.inputs[0] if len(classifier.inputs) == 1 else classifier.input
        return keras.Model(inputs, layer(classifier(inputs)))
    return keras.Sequential([classifier, layer])
