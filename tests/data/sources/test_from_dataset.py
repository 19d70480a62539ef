"""The user's own `tf.data.Dataset`."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.data.sources.from_dataset import from_dataset

X = np.arange(40, dtype=np.float32).reshape(20, 2)
Y = np.arange(20, dtype=np.int32) % 2


def _dataset(x=X, y=Y):
    return tf.data.Dataset.from_tensor_slices((x, y))


def test_examples_are_read_in_order():
    clean = X[:6] + 0.5
    source = from_dataset(
        _dataset(), _dataset(X[:4], Y[:4]), _dataset(clean, Y[:6]), class_names=["left", "right"]
    )
    np.testing.assert_array_equal(source.x, X)
    np.testing.assert_array_equal(source.y, Y)
    np.testing.assert_array_equal(source.x_test, X[:4])
    np.testing.assert_array_equal(source.meta_pool.x, clean)
    assert source.class_names == ("left", "right") and not source.clean_known


def test_test_part_is_split_off_and_length_need_not_be_known():
    source = from_dataset(_dataset().filter(lambda x, y: x[0] < 38), clean_known=True)
    assert len(source.y) == 15 and len(source.y_test) == 4 and source.clean_known
    np.testing.assert_array_equal(source.x[:, 0], 2 * source.sample_id)


RAGGED = tf.data.Dataset.from_generator(
    lambda: iter([(np.zeros(2, np.float32), 0)]),
    output_signature=(tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int64)),
)
BAD = {
    "array": (X, TypeError, "x: expected a tf.data.Dataset, received ndarray"),
    "none": (None, TypeError, "received NoneType"),
    "endless": (
        _dataset().repeat(),
        ValueError,
        "x: expected a finite dataset, received one that never ends",
    ),
    "batched": (_dataset().batch(2), ValueError, "unbatch"),
    "no labels": (
        tf.data.Dataset.from_tensor_slices(X),
        ValueError,
        "x: expected elements .inputs, label",
    ),
    "one-hot": (_dataset(y=np.eye(2, dtype=np.float32)[Y]), ValueError, "received one-hot"),
    "ragged": (RAGGED, ValueError, "inputs of one fixed shape"),
    "nested": (_dataset(x={"a": X}), ValueError, "inputs of one fixed shape"),
    "empty": (_dataset().take(0), ValueError, "at least one example, received none"),
    "one class": (_dataset(y=0 * Y), ValueError, "at least two classes"),
    "NaN": (_dataset(x=X * np.nan), ValueError, "NaN or infinity in row 0"),
}


@pytest.mark.parametrize("dataset, error, message", BAD.values(), ids=BAD.keys())
def test_bad_datasets_are_refused(dataset, error, message):
    with pytest.raises(error, match=message):
        from_dataset(dataset)


def test_too_large_and_too_few_names_are_refused():
    with pytest.raises(ValueError, match="at most 100 bytes .* tf_mwn.paired_dataset"):
        from_dataset(_dataset(), most_bytes=100)
    with pytest.raises(ValueError, match="class_names: expected 2, received 3"):
        from_dataset(_dataset(), class_names=["a", "b", "c"])
