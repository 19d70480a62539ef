"""Loading: digits, .npz files, and names that cannot be used."""

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, load_path, save_folder
from tests.data.sources.npz_files import save_npz
from tf_mwn.data.sources import loading
from tf_mwn.data.sources.location import DataLocation


def test_digits_split_is_stratified_and_always_the_same():
    one, two = loading.load("digits"), loading.load("digits")
    assert one.x.shape == (1438, 8, 8, 1) and one.x_test.shape == (359, 8, 8, 1)
    assert one.x.dtype == np.uint8 and one.x.max() == 16 and one.clean_known
    assert np.ptp(np.bincount(one.y_test)) <= 3
    np.testing.assert_array_equal(one.test_id, two.test_id)
    ids = np.concatenate([one.sample_id, one.test_id])
    np.testing.assert_array_equal(np.sort(ids), np.arange(1797))


def test_npz_without_test_part_is_split(tmp_path):
    source = loading.load(save_npz(tmp_path))
    assert len(source.y) == 24 and np.bincount(source.y_test).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(source.x[:, 0], 2 * source.sample_id)
    np.testing.assert_array_equal(source.y, source.sample_id % 3)
    assert source.x.dtype == np.float32 and source.y_given is None and not source.clean_known
    assert source.class_names == ("0", "1", "2")


def test_npz_with_all_arrays(tmp_path):
    clean = np.arange(30) % 3
    given = np.roll(clean, 1).astype(np.int32)
    ids = np.arange(30)[::-1] + 7
    path = save_npz(
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
    whole = open(save_npz(tmp_path), "rb").read()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="npz archive, received .*half.npz, which is damaged"):
        loading.load(str(tmp_path / "half.npz"))
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="array.npy, which holds one array"):
        loading.load(str(tmp_path / "array.npy"))


@pytest.mark.parametrize(
    "name, message",
    [
        ("digit", "did you mean 'digits'"),
        ("cifer10", "digits, .*the path of an .npz file, .*does not exist; did you mean 'cifar10'"),
        ("zzzzzz", "received 'zzzzzz', which does not exist$"),
        ("", "received ''"),
        ("cifar10/nothing", "BuilderConfig nothing not found"),
        ("glue", "features image and label, received 'glue' with"),
        ("imagenet2012", "images of one size, received 'imagenet2012'"),
        ("mnist", "'mnist' to be prepared in .*--download .*--data_dir"),
    ],
)
def test_unusable_names_are_refused_at_once_in_one_line(tmp_path, monkeypatch, name, message):
    """At once: nothing is asked of another machine, and nothing is written."""
    asked = []
    for call in ("connect", "connect_ex"):
        monkeypatch.setattr(f"socket.socket.{call}", lambda self, address: asked.append(address))
    with pytest.raises(ValueError, match=message) as caught:
        loading.load(name, DataLocation(str(tmp_path)))
    assert not asked and not list(tmp_path.iterdir())
    assert "\n" not in str(caught.value)


def test_folder_csv_npz_and_tfds_give_the_same_arrays(tmp_path):
    import tensorflow_datasets as tfds

    folder = tmp_path / "folder"
    order = save_folder(folder / "train", IMAGES[:24])
    save_folder(folder / "test", IMAGES[24:])
    rows = [f"folder/train/{'ant bee cat'.split()[i % 3]}/{i:03d}.png,{i % 3},train" for i in order]
    test_order = np.argsort(np.arange(6) % 3, kind="stable")
    rows += [
        f"folder/test/{'ant bee cat'.split()[i % 3]}/{i:03d}.png,{i % 3},test" for i in test_order
    ]
    (tmp_path / "list.csv").write_text("path,label,split\n" + "\n".join(rows) + "\n")
    arrays = dict(
        x=IMAGES[:24][order], y=order % 3, x_test=IMAGES[24:][test_order], y_test=test_order % 3
    )
    np.savez(tmp_path / "a.npz", **arrays)
    features = {
        "image": tfds.features.Image(shape=(6, 5, 3)),
        "label": tfds.features.ClassLabel(names=["ant", "bee", "cat"]),
    }
    parts = {
        part: list(enumerate({"image": i, "label": int(k)} for i, k in zip(x, y, strict=True)))
        for part, x, y in (
            ("train", arrays["x"], arrays["y"]),
            ("test", arrays["x_test"], arrays["y_test"]),
        )
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny_images",
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets=parts,
        data_dir=str(tmp_path / "tfds"),
        disable_shuffling=True,
    )
    loaded = [load_path(tmp_path / name) for name in ("folder", "list.csv", "a.npz")]
    loaded.append(loading.load("tiny_images", DataLocation(str(tmp_path / "tfds"))))
    for source in loaded:
        for name in ("x", "y", "x_test", "y_test", "sample_id", "test_id"):
            np.testing.assert_array_equal(getattr(source, name), getattr(loaded[2], name))
    assert loaded[0].class_names == loaded[3].class_names == ("ant", "bee", "cat")


def test_options_that_a_source_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match="image_size: expected images in files, received .*digits"):
        loading.load("digits", image_size=8)
    with pytest.raises(ValueError, match="stream: expected images in files"):
        loading.load("digits", stream="on")
    with pytest.raises(
        ValueError, match="train_list: .* Clothing1M, received clean with dataset digits"
    ):
        loading.load("digits", train_list="clean")
    with pytest.raises(ValueError, match="stream: expected one of"):
        loading.load("digits", stream="yes")
    with pytest.raises(ValueError, match="nothing.csv, which does not exist"):
        load_path(tmp_path / "nothing.csv")
