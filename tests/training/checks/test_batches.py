"""Streams are checked as arrays are, in every batch and on every device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import batch, mlp
from tf_mwn import CrossEntropy, paired_dataset
from tf_mwn.training.checks.batches import mistakes_in_batches

X, Y = batch([(5,)], 12, 0)
HOT = np.eye(3, dtype="float32")
slices = tf.data.Dataset.from_tensor_slices


def stream(x=X, y=Y, x_meta=X, y_meta=Y):
    return paired_dataset(slices((x, y)), None, slices((x_meta, y_meta)), None, batch_size=4)


def mapped(inputs=lambda x: x, labels=lambda y: y):
    """Arrays with one .map behind `paired_dataset`, which nothing has checked."""
    data = paired_dataset(X, Y, X, Y, batch_size=4)
    return data.map(lambda e, y: ({**e, "inputs": inputs(e["inputs"])}, labels(y)))


def replaced(array, row, value):
    array = array.copy()
    array[row] = value
    return array


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: stream(y=Y + 1), "expected y to be below .* 3, received 3"),
        (lambda: stream(y=Y - 1), "expected y to be at least 0, received -1"),
        (lambda: stream(y_meta=Y + 1), "expected y_meta to be below .* 3, received 3"),
        (lambda: stream(x=replaced(X, 5, np.nan)), "expected finite x, received NaN"),
        (lambda: stream(x_meta=replaced(X, 5, np.inf)), "expected finite x_meta"),
        (
            lambda: stream(y=replaced(HOT[Y], 3, 0), y_meta=HOT[Y]),
            "y in rows .* sum to 1, .* from 0 to 1",
        ),
        (
            lambda: stream(y=replaced(HOT[Y], 3, 1), y_meta=HOT[Y]),
            "y in rows .* sum to 1, .* from 1 to 3",
        ),
        (lambda: mapped(labels=lambda y: y + 1), "expected y to be below .* 3, received 3"),
        (
            lambda: mapped(labels=lambda y: y[:, None]),
            r"expected y in shape \[B\], received \[B, 1",
        ),
        (lambda: mapped(labels=lambda y: tf.cast(y, tf.float32)), "y to be integers of shape"),
        (lambda: mapped(tf.math.log), "expected finite x, received NaN"),
        (
            lambda: mapped(lambda x: x[: tf.size(x) // 10]),
            "as many y as x in a batch, 2, received 4",
        ),
        (lambda: ((e, y + 1) for e, y in stream()), "expected y to be below .* 3, received 3"),
        (lambda: iter([]), "expected arrays, a tf.data.Dataset .* received list_iterator"),
    ],
)
def test_a_stream_is_refused_before_the_step_that_sees_it(data, message):
    model = CrossEntropy(mlp())
    model.compile("sgd")
    with pytest.raises((ValueError, TypeError), match=message), mistakes_in_batches():
        list(model.checked(data()))


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"run_eagerly": True}])
def test_fit_stops_before_a_weight_is_spoilt(options):
    model = CrossEntropy(mlp())
    model.compile("sgd", **options)
    with pytest.raises(ValueError, match="^fit: expected y to be below .* 3, received 3 .*0.$"):
        model.fit(stream(y=np.where(np.arange(12) < 8, Y, 3)), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_on_two_devices(mirrored):
    with mirrored.scope():
        model = CrossEntropy(mlp())
        model.compile("sgd")
    with pytest.raises(ValueError, match="expected y to be below .* 3, received 3"):
        model.fit(stream(y=Y + 1), verbose=0)


def test_the_check_changes_no_bit():
    weights = []
    for data in (paired_dataset(X, Y, X, Y, batch_size=4), mapped()):
        keras.utils.set_random_seed(0)
        model = CrossEntropy(mlp())
        model.compile("sgd")
        model.fit(data, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_labels_are_for_losses_of_several_labels():
    several = replaced(HOT[Y], 3, 1)
    model = CrossEntropy(mlp())
    model.compile("sgd", loss=keras.losses.BinaryCrossentropy(from_logits=True))
    list(model.checked(stream(y=several, y_meta=several)))
    with pytest.raises(ValueError, match="y to be at most 1, received 2"), mistakes_in_batches():
        list(model.checked(stream(y=2 * several, y_meta=several)))


def test_one_logit_takes_the_labels_of_its_loss():
    model = CrossEntropy(mlp(classes=1))
    model.compile("sgd", loss=keras.losses.BinaryCrossentropy(from_logits=True))
    pairs = paired_dataset(X, Y, X, Y, batch_size=4)
    with pytest.raises(ValueError, match="expected y to be at most 1, received 2"):
        model.checked(pairs)
    model.compile("sgd", loss=keras.losses.MeanSquaredError())
    model.checked(pairs)


def sentences(length=None):
    tokens = [keras.Input((length,), dtype="int64"), keras.layers.Embedding(9, 4, mask_zero=True)]
    pooling = keras.layers.GlobalAveragePooling1D()
    return keras.Sequential([*tokens, pooling, keras.layers.Dense(3)])


def unequal(spec):
    def examples():
        for i in range(12):
            yield np.arange(1, 3 + i % 3), i % 3

    return tf.data.Dataset.from_generator(
        examples, output_signature=(spec, tf.TensorSpec((), tf.int64))
    )


def test_sentences_are_padded_to_the_longest_of_their_batch():
    data = unequal(tf.TensorSpec((None,), tf.int64))
    pairs = paired_dataset(data, None, data, None, batch_size=6)
    for element, _ in pairs:
        lengths = np.asarray(element["inputs"] > 0).sum(axis=1)
        assert element["inputs"].shape == (6, lengths.max())
    model = CrossEntropy(sentences())
    model.compile("sgd")
    model.fit(pairs, verbose=0)
    model = CrossEntropy(sentences(7))
    model.compile("sgd")
    message = "x(_meta)? of length 7 in axis 1, received [234]; bring"
    with pytest.raises(ValueError, match=message), mistakes_in_batches():
        list(model.checked(pairs))


def test_ragged_sentences_are_padded_and_unknown_ones_are_refused():
    ragged = tf.ragged.constant([[1, 2, 3], [4], [5, 6]] * 2, dtype=tf.int64)
    data = slices((ragged, tf.zeros(6, tf.int64)))
    element, _ = next(iter(paired_dataset(data, None, data, None, batch_size=6)))
    assert element["inputs"].shape == (6, 3)
    unknown = unequal(tf.TensorSpec(None, tf.int64))
    with pytest.raises(ValueError, match="x: expected examples with a known number of axes"):
        paired_dataset(unknown, None, data, None, batch_size=6)
