"""What holds for every loss class: configuration, refusals, labels, and training by `compile`."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import (
    CLASSES,
    CLASSIFICATION,
    COUNTS,
    LOSS_CLASSES,
    TRANSITIONS,
    one_hot,
    sample,
)
from tf_mwn.losses.bi_tempered import BiTempered
from tf_mwn.losses.bootstrapping import ReedHard, ReedSoft
from tf_mwn.losses.class_counts import LDAM
from tf_mwn.losses.cross_entropy import CrossEntropyLoss
from tf_mwn.losses.focal import Focal
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.losses.label_correction import ForwardCorrection
from tf_mwn.losses.low_dose_ct import LowDoseCT
from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.losses.symmetric import SymmetricCrossEntropy

every_class = pytest.mark.parametrize("cls", LOSS_CLASSES, ids=lambda cls: cls.__name__)
classification = pytest.mark.parametrize("cls", CLASSIFICATION, ids=lambda cls: cls.__name__)
BASE = {"name": "other", "reduction": "sum", "dtype": "float64"}


def make(cls, **kwargs):
    return cls(**LOSS_CLASSES[cls], **kwargs)


def batch(cls):
    """y_true and y_pred that fit the class."""
    labels, logits = sample()
    return (labels, logits) if cls in CLASSIFICATION else (np.arange(6.0), logits[:, 0])


@every_class
def test_the_configuration_has_every_argument_and_comes_back(cls):
    own = {
        name
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert own == set(LOSS_CLASSES[cls])
    loss = make(cls, **BASE)
    config = loss.get_config()
    assert set(config) == own | set(BASE)
    for name, value in {**LOSS_CLASSES[cls], **BASE}.items():
        assert config[name] == value
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is cls
    assert again.get_config() == config
    np.testing.assert_array_equal(again(*batch(cls)), loss(*batch(cls)))


@every_class
def test_the_reduction_is_that_of_keras(cls):
    y_true, y_pred = batch(cls)
    each = make(cls, reduction=None, dtype="float64")(y_true, y_pred)
    assert each.shape == (6,)
    np.testing.assert_array_equal(each, make(cls).call(y_true, y_pred))
    weights = np.arange(6.0)
    total = make(cls, reduction="sum", dtype="float64")(y_true, y_pred, sample_weight=weights)
    np.testing.assert_allclose(total, np.sum(weights * each), rtol=1e-12)


@every_class
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_half_precision_dtype_is_refused(cls, dtype):
    with pytest.raises(ValueError, match=f"dtype: expected float32 or float64, received {dtype}"):
        make(cls, dtype=dtype)


@classification
def test_labels_as_keras_casts_them(cls):
    labels, logits = sample((2, 3), "float32")
    loss = make(cls, reduction=None)
    expected = loss.call(tf.constant(labels), logits)
    assert expected.shape == (2, 3)
    for y_true in (labels, labels[..., None], one_hot(labels)):
        np.testing.assert_allclose(loss(y_true, logits), expected, rtol=1e-5)
    of_positions = per_example_loss(loss, weight_per="output")(labels, logits)
    np.testing.assert_allclose(of_positions, np.ravel(expected), rtol=1e-6)


REFUSED = [
    (GeneralizedCrossEntropy, {"q": 2}, r"q: expected a value in \(0, 1\], received 2$"),
    (GeneralizedCrossEntropy, {"q": 0}, r"q: expected a value in \(0, 1\]"),
    (SymmetricCrossEntropy, {"alpha": -0.1}, r"alpha: expected a value in \[0, inf\)"),
    (SymmetricCrossEntropy, {"beta": -0.1}, r"beta: expected a value in \[0, inf\)"),
    (SymmetricCrossEntropy, {"log_zero": 0.0}, r"log_zero: expected a value in \(-inf, 0\)"),
    (BiTempered, {"t1": 1.1}, r"t1: expected a value in \[0, 1\]"),
    (BiTempered, {"t1": 0.8, "t2": 0.5}, r"t2: expected a value in \[0.8, inf\), received 0.5"),
    (BiTempered, {"label_smoothing": 1.0}, r"label_smoothing: expected a value in \[0, 1\)"),
    (BiTempered, {"num_iterations": 0}, "num_iterations: expected an integer of at least 1"),
    (PolySoft, {"lambda_": 0.0}, r"lambda_: expected a value in \(0, inf\)"),
    (PolySoft, {"d": 1.0}, r"d: expected a value in \(1, inf\)"),
    (Focal, {"gamma": -1.0}, r"gamma: expected a value in \[0, inf\)"),
    (ReedSoft, {"beta": 1.5}, r"beta: expected a value in \[0, 1\]"),
    (ReedHard, {"beta": -0.5}, r"beta: expected a value in \[0, 1\]"),
    (ForwardCorrection, {"transition_matrix": [[1.0, 0.0]]}, r"expected shape \[C, C\]"),
    (ForwardCorrection, {"transition_matrix": 2 * np.eye(2)}, "rows of probabilities that sum"),
    (
        ForwardCorrection,
        {"transition_matrix": [[1.5, -0.5], [0.0, 1.0]]},
        "rows of probabilities .* least entry -0.5",
    ),
    (LDAM, {"class_counts": [5, 0]}, r"class_counts: expected values in \[1, inf\), received 0"),
    (LDAM, {"class_counts": 5}, "class_counts: expected one count for each"),
    (LDAM, {"class_counts": COUNTS, "max_margin": -1.0}, r"max_margin: .* \[0, inf\)"),
    (LDAM, {"class_counts": COUNTS, "scale": 0.0}, r"scale: expected a value in \(0, inf\)"),
    (LowDoseCT, {"incident_count": 0.0, "variance": 1.0}, r"incident_count: .* \(0, inf\)"),
    (LowDoseCT, {"incident_count": 1.0, "variance": -1.0}, r"variance: .* \[0, inf\)"),
]


@pytest.mark.parametrize("cls, arguments, message", REFUSED)
def test_a_bad_value_is_refused_by_the_name_of_its_set(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


def test_a_bad_kind_is_a_type_error():
    with pytest.raises(TypeError, match="detach_modulator: expected a bool, received 1"):
        Focal(detach_modulator=1)
    with pytest.raises(TypeError, match="num_iterations: expected an integer"):
        BiTempered(num_iterations=2.5)


def separable(size=64):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, size)
    return (one_hot(labels) + 0.2 * rng.normal(size=(size, CLASSES))).astype("float32"), labels


def linear_model(loss, **kwargs):
    model = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(CLASSES)])
    # Keras would compile with XLA; test_every_function does, at less cost.
    adam = keras.optimizers.Adam(0.4)
    model.compile(adam, loss=loss, jit_compile=False, **kwargs)
    return model


def test_a_loss_and_a_method_of_one_name_are_told_apart_when_loaded():
    from tf_mwn.training.cross_entropy import CrossEntropy

    for loaded in (CrossEntropyLoss, CrossEntropy):
        name = keras.saving.get_registered_name(loaded)
        assert keras.saving.get_registered_object(name) is loaded


@classification
def test_a_model_learns_by_compile_and_fit(cls):
    features, labels = separable()
    # The other tests that train do so in graphs, which take a second each to trace.
    model = linear_model(make(cls), run_eagerly=True)
    history = model.fit(features, labels, batch_size=64, epochs=10, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    accuracy = np.mean(np.argmax(model(features), axis=-1) == labels)
    assert accuracy > 0.8  # weights that favour rare classes learn the others last


def test_one_hot_labels_train_the_same_model():
    features, labels = separable()
    weights = []
    for y in (labels, labels[:, None], one_hot(labels)):
        keras.utils.set_random_seed(0)
        model = linear_model(GeneralizedCrossEntropy())
        model.fit(features, y, shuffle=False, epochs=1, verbose=0)
        weights.append(model.get_weights()[0])
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-5)
    np.testing.assert_allclose(weights[2], weights[0], rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    """With float16, Keras scales the loss by 2^15."""
    keras.config.set_dtype_policy(policy)
    try:
        features, labels = separable()
        model = linear_model(BiTempered())
        history = model.fit(features, labels, epochs=5, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert f"mixed_{model.compute_dtype}" == policy
    assert history[-1] < history[0]


def test_replicas_of_keras_own_training(mirrored):
    """Reductions and labels are those of Keras; the loop of the normaliser runs on each replica."""

    def train():
        keras.utils.set_random_seed(0)
        model = linear_model(BiTempered())
        model.fit(*separable(), batch_size=32, shuffle=False, verbose=0)
        return model.get_weights()

    alone = train()
    with mirrored.scope():
        together = train()
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_compiled_model_is_saved_with_its_loss(tmp_path):
    features, labels = separable()
    model = linear_model(ForwardCorrection(TRANSITIONS))
    model.optimizer.build(model.trainable_variables)
    expected = model.evaluate(features, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.loss.get_config() == model.loss.get_config()
    np.testing.assert_allclose(again.evaluate(features, labels, verbose=0), expected, rtol=1e-6)
