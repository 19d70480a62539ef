"""Prepared TFDS sets: they load offline, and what is refused."""

import os

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


def test_another_label_of_a_set_is_the_given_one(tmp_path):
    import tensorflow_datasets as tfds

    from tf_mwn.data.sources.tfds import load_tfds

    names = tfds.features.ClassLabel(num_classes=2)
    features = {
        "image": tfds.features.Image(shape=(4, 4, 3)),
        **dict.fromkeys(("label", "worse_label"), names),
    }
    image = np.zeros((4, 4, 3), np.uint8)
    examples = [{"image": image + r, "label": r % 2, "worse_label": r // 10} for r in range(20)]
    tested = [{"image": image, "label": r % 2, "worse_label": -1} for r in range(4)]
    _store(tmp_path, "tiny_people", features, examples, test=list(enumerate(tested)))
    raw = load_tfds("tiny_people/worse_label", str(tmp_path), False)
    assert raw.y_given.tolist() == [0] * 10 + [1] * 10
    assert raw.y.tolist() == [0, 1] * 10 and raw.y_test.tolist() == [0, 1] * 2
    assert load_tfds("tiny_people", str(tmp_path), False).y_given is None
    with pytest.raises(ValueError, match="dataset: expected .* received 'tiny_people/bad_label'"):
        load_tfds("tiny_people/bad_label", str(tmp_path), False)


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
