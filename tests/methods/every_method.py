"""The data, facts and options under which every method of the registry trains in a moment."""

import dataclasses

import keras
import numpy as np

from tf_mwn.methods.spec.facts import TrainingFacts

BATCH, STEPS, CLASSES, FEATURES = 20, 3, 3, 6
rng = np.random.default_rng(0)
CENTRES = rng.normal(size=(CLASSES, FEATURES))


FACTS = TrainingFacts(
    num_classes=CLASSES,
    num_examples=STEPS * BATCH,
    class_counts=np.array([20, 20, 20]),
    steps_per_epoch=STEPS,
    epochs=20,
    num_sample_ids=STEPS * BATCH,
    seed=0,
    noise_rate=0.2,
    transition_matrix=0.7 * np.eye(CLASSES) + 0.1,
)
# Options under which a method does within two epochs what it is for.
SHORT = {
    "variance_warmup_epochs": 1,
    "ada_boost_epochs": 1,
    "iterative_epochs": 2,
    "truncated_gce_start": 0.05,
    "truncated_gce_epochs": 1,
    "ldam_defer": 0.05,
    "d2l_start": 0.0,
    "d2l_window": 1,
    "l2t_episodes": 2,
    "co_teaching_gradual_epochs": 1,
    "fwl_epochs": 1,
}
# Facts under which a method in phases is through with all of them, or well in the last one.
SHORT_FACTS = dataclasses.replace(FACTS, epochs=1)


def separable(size, seed):
    """Three clouds, far apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(size) % CLASSES
    return (CENTRES[y] + 0.2 * rng.normal(size=(size, FEATURES))).astype("float32"), y


def sets():
    return *separable(STEPS * BATCH, 1), *separable(30, 2)


def classifier():
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(hidden))


# Methods that take the steps of another one, with another loss or other fixed weights. What a step
# does whatever the loss is shown by the other; tests/losses/test_every_function.py has all losses.
STEPS_OF = {
    **dict.fromkeys(("fine_tuning", "logit_adjusted", "resampling"), "cross_entropy"),
    **dict.fromkeys(("adaptive_sce", "adaptive_bi_tempered", "adaptive_poly_soft"), "adaptive_gce"),
    **dict.fromkeys(("sce", "mae", "bi_tempered", "poly_soft", "focal"), "gce"),
    **dict.fromkeys(("reed_soft", "reed_hard", "forward_correction"), "gce"),
    "iterative_reweighting": "truncated_gce",
    **dict.fromkeys(("ldam_drw", "instance_reweighting"), "class_balanced"),
    **dict.fromkeys(("polynomial_weighting", "focal_weighting"), "linear_weighting"),
}
