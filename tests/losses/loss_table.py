"""Every per-example loss and every loss class once, for the tests that hold for all of them."""

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.losses.bi_tempered import BiTempered, bi_tempered
from tf_mwn.losses.bootstrapping import ReedHard, ReedSoft, reed_hard, reed_soft
from tf_mwn.losses.class_counts import (
    LDAM,
    ldam,
    ldam_margins,
)
from tf_mwn.losses.cross_entropy import CrossEntropyLoss, cross_entropy
from tf_mwn.losses.focal import Focal, focal
from tf_mwn.losses.generalized import (
    GeneralizedCrossEntropy,
    generalized_cross_entropy,
)
from tf_mwn.losses.label_correction import (
    ForwardCorrection,
    forward_correction,
)
from tf_mwn.losses.low_dose_ct import LowDoseCT
from tf_mwn.losses.poly_soft import PolySoft, poly_soft
from tf_mwn.losses.symmetric import (
    MeanAbsoluteError,
    SymmetricCrossEntropy,
    mean_absolute_error,
    reverse_cross_entropy,
    symmetric_cross_entropy,
)

CLASSES = 4
COUNTS = [500.0, 60.0, 20.0, 5.0]
TRANSITIONS = [[0.7, 0.1, 0.1, 0.1], [0.0, 0.8, 0.2, 0.0], [0.0, 0.3, 0.7, 0.0], [0.2, 0, 0, 0.8]]


def focal_detached(labels, logits, *, gamma):
    return focal(labels, logits, gamma=gamma, detach_modulator=True)


def ldam_of_counts(labels, logits, *, max_margin, scale):
    margins = ldam_margins(COUNTS, max_margin=max_margin)
    return ldam(labels, logits, margins=margins, scale=scale)


# Name: (function of labels and logits, differentiable hyper-parameters).
FUNCTIONS = {
    "cross_entropy": (cross_entropy, {}),
    "mean_absolute_error": (mean_absolute_error, {}),
    "generalized": (generalized_cross_entropy, {"q": 0.6}),
    "generalized, q = 0": (generalized_cross_entropy, {"q": 0.0}),
    "reverse": (reverse_cross_entropy, {"log_zero": -5.0}),
    "symmetric": (symmetric_cross_entropy, {"alpha": 0.3, "beta": 0.9, "log_zero": -4.0}),
    "bi_tempered": (bi_tempered, {"t1": 0.6, "t2": 1.4, "label_smoothing": 0.1}),
    "bi_tempered, t = 1": (bi_tempered, {"t1": 1.0, "t2": 1.0}),
    "bi_tempered, t2 < 1": (bi_tempered, {"t1": 0.5, "t2": 0.8}),
    "poly_soft": (poly_soft, {"lambda_": 3.0, "d": 1.7}),
    "poly_soft, d > 2": (poly_soft, {"lambda_": 3.0, "d": 4.0}),
    "focal": (focal, {"gamma": 1.5}),
    "focal, γ = 0": (focal, {"gamma": 0.0}),
    "focal, detached": (focal_detached, {"gamma": 1.5}),
    "reed_soft": (reed_soft, {"beta": 0.9}),
    "reed_hard": (reed_hard, {"beta": 0.7}),
    "forward": (forward_correction, {"transition_matrix": TRANSITIONS}),
    "ldam": (ldam_of_counts, {"max_margin": 0.5, "scale": 3.0}),
}

# Class: every argument of its own, none at its default.
LOSS_CLASSES = {
    CrossEntropyLoss: {},
    MeanAbsoluteError: {},
    GeneralizedCrossEntropy: {"q": 0.4},
    SymmetricCrossEntropy: {"alpha": 1.0, "beta": 0.5, "log_zero": -4.0},
    BiTempered: {"t1": 0.6, "t2": 1.3, "label_smoothing": 0.05, "num_iterations": 15},
    PolySoft: {"lambda_": 4.0, "d": 3.0},
    Focal: {"gamma": 1.0, "detach_modulator": True},
    ReedSoft: {"beta": 0.9},
    ReedHard: {"beta": 0.9},
    ForwardCorrection: {"transition_matrix": TRANSITIONS},
    LDAM: {"class_counts": COUNTS, "max_margin": 0.3, "scale": 4.0},
    LowDoseCT: {"incident_count": 50.0, "variance": 2.0},
}
CLASSIFICATION = [cls for cls in LOSS_CLASSES if cls is not LowDoseCT]


def sample(size=(6,), dtype="float64", seed=0, scale=1.5):
    """Class numbers and logits that agree with them about as often as not."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, size)
    logits = rng.normal(size=(*size, CLASSES)) * scale + np.eye(CLASSES)[labels]
    return labels, tf.constant(logits, dtype)


def logits_of(p_y, dtype="float64", label=0, classes=2):
    """Logits [N, C] whose softmax gives the label p_y and shares the rest equally."""
    p_y = np.asarray(p_y, "float64")
    rest = np.log((1 - p_y) / (classes - 1))
    logits = np.repeat(rest[:, None], classes, axis=1)
    logits[:, label] = np.log(p_y)
    return tf.constant(logits, dtype)


def gradient(function, x):
    """Σ over the examples of `function`(x), differentiated in x."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


def one_hot(labels):
    return np.eye(CLASSES)[labels]


def numbers(x):
    return keras.ops.convert_to_numpy(x)
