"""Keras' callbacks, options of its optimizers, and kinds of layers, without a warning."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest

from tests.models import batch, mlp
from tf_mwn import MetaWeightNet, Robust

# Of Keras' own variables under NumPy 2, which Python does not show.
pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning"),
]
(X, Y), (XM, YM) = batch([(5,)], 40, 0), batch([(5,)], 10, 1)
GIVEN = {"x": X, "y": Y, "x_meta": XM, "y_meta": YM, "batch_size": 10, "verbose": 0}
C, L = keras.callbacks, keras.layers


def compiled(network=None, optimizer=None, **options):
    keras.utils.set_random_seed(0)
    model = MetaWeightNet(network or mlp())
    model.compile(optimizer or keras.optimizers.SGD(0.3), **options)
    return model


def test_a_plain_fit_converts_no_variable():
    """NumPy 2 warns of the way in which Keras makes arrays of variables."""
    for kind in (MetaWeightNet, Robust):
        keras.utils.set_random_seed(0)
        model = kind(mlp())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.compile("adam", metrics=["accuracy"])
            model.fit(**GIVEN, epochs=2)


def rising(epoch, rate):
    """Ever worse, from the third epoch on."""
    return rate if epoch < 2 else 50.0


def test_callbacks_of_keras(tmp_path):
    """All in one training, which gets worse: the best epoch is kept, and training stops."""
    model = compiled(optimizer=keras.optimizers.SGD(0.3, clipnorm=1.0), metrics=["accuracy"])
    whole, weights = tmp_path / "best.keras", tmp_path / "best.weights.h5"
    best = {"monitor": "val_loss", "save_best_only": True}
    callbacks = [
        C.ModelCheckpoint(whole, **best),
        C.ModelCheckpoint(weights, save_weights_only=True, **best),
        C.LearningRateScheduler(rising),
        C.ReduceLROnPlateau("val_loss", patience=1, factor=0.1),
        C.TerminateOnNaN(),
        C.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
    ]
    logs = model.fit(**GIVEN, epochs=9, validation_data=(X, Y), callbacks=callbacks).history
    kept = int(np.argmin(logs["val_loss"]))
    assert len(logs["val_loss"]) == kept + 3 < 9
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(loss, logs["val_loss"][kept], rtol=1e-6)
    loaded, other = keras.saving.load_model(whole), compiled()
    other.load_weights(weights)
    for own in (loaded, other):
        for one, two in zip(own.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
    loaded.fit(**GIVEN)


class Kill(C.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_killed_training_goes_on_with_averages_and_accumulated_gradients(tmp_path):
    """`use_ema` ends with the averages, and `SwapEMAWeights` shows them to the evaluation."""
    optimizer = {"use_ema": True, "ema_momentum": 0.5, "gradient_accumulation_steps": 2}
    backup = C.BackupAndRestore(tmp_path / "backup")
    for killed in (True, False):
        model = compiled(optimizer=keras.optimizers.SGD(0.3, **optimizer))
        callbacks = [backup, *([Kill()] if killed else [])]
        if killed:
            with pytest.raises(KeyboardInterrupt):
                model.fit(**GIVEN, epochs=2, callbacks=callbacks)
    history = model.fit(**GIVEN, epochs=2, callbacks=[backup, C.SwapEMAWeights(swap_on_epoch=True)])
    assert history.epoch == [1]
    assert model.optimizer.iterations == 4 and model.meta_optimizer.iterations == 8
    averages = model.optimizer._model_variables_moving_average
    for variable, average in zip(model.classifier.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(variable, average)


@pytest.mark.parametrize("quantised", [False, True], ids=["lora", "int8"])
def test_layers_with_lora_and_of_integers(quantised, tmp_path):
    network = mlp()
    for layer in network.layers[1:]:
        if quantised:
            layer.quantize("int8")
        layer.enable_lora(2)
    model = compiled(network)
    frozen = [v.numpy() for v in network.non_trainable_variables]
    before = [v.numpy() for v in network.trainable_variables]
    model.fit(**GIVEN)
    for old, new in zip(frozen, network.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new)
    moved = [not np.array_equal(*p) for p in zip(before, network.trainable_variables, strict=True)]
    assert all(moved)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    # Keras writes the kernel of integers with LoRA merged into it, rounded anew.
    close = {"rtol": 0.1, "atol": 0.1} if quantised else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(loaded(X), model(X), **close)


def test_text_and_columns_of_text():
    words = np.array(["a b c", "c d", "a a", "b d c"] * 10)
    to_numbers = L.TextVectorization(output_sequence_length=4, vocabulary=list("abcd"))
    to_columns = L.StringLookup(output_mode="one_hot", vocabulary=["x", "y"])
    text, kind = (
        keras.Input((), dtype="string", name="text"),
        keras.Input((1,), dtype="string", name="kind"),
    )
    mean = L.GlobalAveragePooling1D()(L.Embedding(8, 4)(to_numbers(text)))
    joined = L.Concatenate()([mean, to_columns(kind)])
    network = keras.Model({"text": text, "kind": kind}, L.Dense(3)(joined))
    model = compiled(network, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x = {"text": words, "kind": pd.Series(["x", "y"] * 20)}
    x_meta = {"text": words[:10].astype(object), "kind": np.array([["x"], ["y"]] * 5)}
    logs = model.fit(x, Y, x_meta=x_meta, y_meta=YM, validation_split=0.25, verbose=0).history
    assert np.isfinite(logs["val_loss"]).all()
    numeric = compiled()
    with pytest.raises(ValueError, match="inputs: expected numbers, received text; make numbers"):
        numeric.fit(words, Y, x_meta=words[:10], y_meta=YM, verbose=0)
    numbers = {"text": X[:, 0], "kind": X[:, :1]}
    with pytest.raises(ValueError, match="inputs: expected text .*, received numbers"):
        model.fit(numbers, Y, x_meta=numbers, y_meta=Y, verbose=0)
