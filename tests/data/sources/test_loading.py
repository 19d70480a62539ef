"""Sources: digits, .npz files, prepared TFDS sets, and every kind of bad input."""

import os
import time

import numpy as np
import pytest

from tf_mwn.data.sources import loading
from tf_mwn.data.sources.location import DataLocation

DATA_DIR = os.environ.get(
    "TF_MWN_DATA_DIR",
    os.path.join(
        os.path.dirname(__file__), "..", "..", "..", "shared", "data", "tensorflow_datasets"
    ),
)


def _save(path, **changes):
    """Writes a good .npz file with some arrays replaced, or left out where None."""
    y = np.arange(30) % 3
    arrays = {"x": np.arange(60.0).reshape(30, 2), "y": y, **changes}
    name = str(path / "data.npz")
    np.savez(name, **{key: value for key, value in arrays.items() if value is not None})
    return name


def test_digits_split_is_stratified_and_always_the_same():
    one, two = loading.load("digits"), loading.load("digits")
    assert one.x.shape == (1438, 8, 8, 1) and one.x_test.shape == (359, 8, 8, 1)
    assert one.x.dtype == np.uint8 and one.x.max() == 16 and one.clean_known
    assert np.ptp(np.bincount(one.y_test)) <= 3
    np.testing.assert_array_equal(one.test_id, two.test_id)
    ids = np.concatenate([one.sample_id, one.test_id])
    np.testing.assert_array_equal(np.sort(ids), np.arange(1797))


def test_npz_without_test_part_is_split(tmp_path):
    source = loading.load(_save(tmp_path))
    assert len(source.y) == 24 and np.bincount(source.y_test).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(source.x[:, 0], 2 * source.sample_id)
    np.testing.assert_array_equal(source.y, source.sample_id % 3)
    assert source.x.dtype == np.float32 and source.y_given is None and not source.clean_known
    assert source.class_names == ("0", "1", "2")


def test_npz_with_all_arrays(tmp_path):
    clean = np.arange(30) % 3
    given = np.roll(clean, 1).astype(np.int32)
    ids = np.arange(30)[::-1] + 7
    path = _save(
        tmp_path,
        x=np.zeros((30, 4, 4), np.uint8),
        y=given,
        y_clean=clean,
        sample_id=ids,
        x_test=np.ones((5, 4, 4), np.uint8),
        y_test=np.arange(5) % 3,
    )
    source = loading.load(path)
    assert source.x.shape == (30, 4, 4, 1) and source.x_test.shape == (5, 4, 4, 1)
    np.testing.assert_array_equal(source.y, clean)
    np.testing.assert_array_equal(source.y_given, given)
    np.testing.assert_array_equal(source.sample_id, ids)
    assert source.clean_known and not np.intersect1d(source.test_id, ids).size


_Y = np.arange(30) % 3
_TEST = {"x_test": np.zeros((3, 2)), "y_test": np.arange(3)}
BAD_ARRAYS = {
    "no x": ({"x": None}, ValueError, "arrays x and y in .*data.npz, received y"),
    "no y": ({"y": None}, ValueError, "arrays x and y in .*data.npz, received x"),
    "objects": (
        {"x": np.array([{}] * 30)},
        TypeError,
        "x: expected numbers in .*, received objects",
    ),
    "strings": (
        {"x": np.array(["a"] * 30)},
        TypeError,
        "x: expected numbers, received an array of",
    ),
    "scalar rows": ({"x": np.zeros(30)}, ValueError, r"\[N, H, W, C\], received \[30\]"),
    "empty": ({"x": np.zeros((0, 2)), "y": _Y[:0]}, ValueError, "at least one example"),
    "no columns": ({"x": np.zeros((30, 0))}, ValueError, r"received \[30, 0\]"),
    "NaN": ({"x": np.full((30, 2), np.nan)}, ValueError, "NaN or infinity in row 0"),
    "infinity": ({"x": np.full((30, 2), -np.inf)}, ValueError, "NaN or infinity in row"),
    "lengths": ({"y": _Y[:29]}, ValueError, "x, y: .* the same length, received 30, 29"),
    "float labels": ({"y": _Y * 1.0}, TypeError, "y: expected integers, received float64"),
    "column labels": ({"y": _Y[:, None]}, ValueError, r"use labels\[:, 0\]"),
    "negative labels": ({"y": _Y - 1}, ValueError, "y: .* at least 0, received -1"),
    "gap": (
        {"y": _Y + (_Y == 2)},
        ValueError,
        "y: .* from 0 to 3, received no example of .* 2",
    ),
    "from one": ({"y": _Y + 1}, ValueError, "received no example of class 0"),
    "one class": ({"y": 0 * _Y}, ValueError, "at least two classes, received class 0 alone"),
    "doubled id": (
        {"sample_id": _Y},
        ValueError,
        "sample_id: expected unique ids, received 0 more than once",
    ),
    "few ids": ({"sample_id": np.arange(29)}, ValueError, "y, sample_id: .* received 30, 29"),
    "y_clean length": ({"y_clean": _Y[:29]}, ValueError, "received"),
    "y outside y_clean": ({"y_clean": _Y % 2}, ValueError, "below the 2 classes, received 2"),
    "x_test alone": (
        {"x_test": np.zeros((3, 2))},
        ValueError,
        "y_test: expected together with x_test",
    ),
    "y_test alone": ({"y_test": np.arange(3)}, ValueError, "x_test: expected together with y_test"),
    "test shape": ({**_TEST, "x_test": np.zeros((3, 5))}, ValueError, r"x \[2\], received \[5\]"),
    "test length": (
        {**_TEST, "y_test": np.arange(2)},
        ValueError,
        "x_test, y_test: .* received 3, 2",
    ),
    "test class": (
        {**_TEST, "y_test": np.array([0, 1, 3])},
        ValueError,
        "the 3 classes, received 3",
    ),
    "test NaN": (
        {**_TEST, "x_test": np.full((3, 2), np.nan)},
        ValueError,
        "x_test: expected finite",
    ),
}


@pytest.mark.parametrize("changes, error, message", BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_bad_arrays_are_refused_in_one_sentence(tmp_path, changes, error, message):
    path = _save(tmp_path, **changes)
    with pytest.raises(error, match=message) as caught:
        loading.load(path)
    assert "\n" not in str(caught.value)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing.npz, which does not exist"):
        loading.load(str(tmp_path / "nothing.npz"))
    text = tmp_path / "text.npz"
    text.write_text("no archive")
    with pytest.raises(ValueError, match="text.npz, which is none"):
        loading.load(str(text))
    empty = tmp_path / "empty.npz"
    empty.touch()
    with pytest.raises(ValueError, match="empty.npz, which is none"):
        loading.load(str(empty))
    whole = open(_save(tmp_path), "rb").read()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="whole .npz archive, received .*half.npz"):
        loading.load(str(tmp_path / "half.npz"))
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="array.npy, which holds one array"):
        loading.load(str(tmp_path / "array.npy"))


@pytest.mark.parametrize(
    "name, message",
    [
        ("digit", "did you mean 'digits'"),
        ("cifer10", "digits.*, the path of an .npz file, .*did you mean 'cifar10'"),
        ("zzzzzz", "received 'zzzzzz'$"),
        ("", "received ''"),
        ("cifar10/nothing", "BuilderConfig nothing not found"),
        ("glue", "features image and label, received 'glue' with"),
        ("imagenet2012", "images of one size, received 'imagenet2012'"),
        ("mnist", "'mnist' to be prepared in .*--download .*--data_dir"),
    ],
)
def test_unusable_names_are_refused_at_once_in_one_line(tmp_path, name, message):
    import tensorflow_datasets  # noqa: F401  its import is not what is timed

    start = time.perf_counter()
    with pytest.raises(ValueError, match=message) as caught:
        loading.load(name, DataLocation(str(tmp_path)))
    assert time.perf_counter() - start < 5.0
    assert "\n" not in str(caught.value)


def _store(folder, name, features, train, **splits):
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(features)
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=features,
        split_datasets={"train": list(enumerate(train)), **splits},
        data_dir=folder,
        disable_shuffling=True,
    )


def test_prepared_set_loads_offline(tmp_path):
    import tensorflow_datasets as tfds

    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3)).astype(np.uint8)
    examples = [{"image": image, "label": row % 2} for row, image in enumerate(images)]
    features = {
        "image": tfds.features.Image(shape=(4, 4, 3)),
        "label": tfds.features.ClassLabel(names=["left", "right"]),
    }
    _store(tmp_path, "tiny_with_test", features, examples[:30], test=list(enumerate(examples[30:])))
    _store(tmp_path, "tiny_without", features, examples)
    source = loading.load("tiny_with_test", DataLocation(str(tmp_path)))
    np.testing.assert_array_equal(source.x, images[:30])
    np.testing.assert_array_equal(source.x_test, images[30:])
    np.testing.assert_array_equal(source.y, np.arange(30) % 2)
    assert source.class_names == ("left", "right") and source.mean is None
    source = loading.load("tiny_without", DataLocation(str(tmp_path)))
    assert len(source.y) == 32 and np.bincount(source.y_test).tolist() == [4, 4]
    np.testing.assert_array_equal(source.x_test, images[source.test_id])


def test_superclasses_of_a_prepared_set_are_kept(tmp_path):
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(shape=(4, 4, 3)),
        "label": tfds.features.ClassLabel(num_classes=4),
        "coarse_label": tfds.features.ClassLabel(num_classes=2),
    }
    image = np.zeros((4, 4, 3), np.uint8)
    examples = [{"image": image, "label": r % 4, "coarse_label": r % 4 // 2} for r in range(20)]
    _store(tmp_path, "tiny_coarse", features, examples)
    assert loading.load("tiny_coarse", DataLocation(str(tmp_path))).coarse.tolist() == [0, 0, 1, 1]


def test_prepared_set_of_features_is_refused(tmp_path):
    import tensorflow_datasets as tfds

    features = {"values": tfds.features.Tensor(shape=(2,), dtype=np.float32)}
    _store(tmp_path, "tiny_table", features, [{"values": np.zeros(2, np.float32)}])
    with pytest.raises(ValueError, match="received 'tiny_table' with values"):
        loading.load("tiny_table", DataLocation(str(tmp_path)))


def test_fashion_mnist_is_in_source_order():
    if not os.path.isdir(os.path.join(DATA_DIR, "fashion_mnist")):
        pytest.skip(f"no prepared fashion_mnist in {DATA_DIR} (set TF_MWN_DATA_DIR)")
    source = loading.load("fashion_mnist", DataLocation(DATA_DIR))
    assert source.x.shape == (60000, 28, 28, 1) and source.x_test.shape == (10000, 28, 28, 1)
    assert np.bincount(source.y).tolist() == [6000] * 10
    assert source.test_id[0] == 60000 and source.class_names[0] == "T-shirt/top"


def test_cifar_has_published_normalisation():
    if not os.path.isdir(os.path.join(DATA_DIR, "cifar10")):
        pytest.skip(f"no prepared cifar10 in {DATA_DIR} (set TF_MWN_DATA_DIR)")
    source = loading.load("cifar10", DataLocation(DATA_DIR))
    assert source.x.shape == (50000, 32, 32, 3) and source.x.dtype == np.uint8
    assert source.y[:10].tolist() == [7, 8, 4, 4, 6, 5, 2, 9, 6, 6]
    np.testing.assert_allclose(source.mean, [125.3, 123.0, 113.9])
    np.testing.assert_allclose(source.x.mean(axis=(0, 1, 2)), source.mean, atol=2.0)
