"""Images in files: folders, CSV, sizes, the cache, and every kind of broken file."""

import os

import numpy as np
import pytest
from PIL import Image

from tests.data.images.image_fixtures import pictures, save, save_folder
from tf_mwn.data.images import cache as image_cache
from tf_mwn.data.images.decoding import ImageFormat, examine, read_image
from tf_mwn.data.sources import loading
from tf_mwn.data.sources.location import DataLocation


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TF_MWN_CACHE", str(folder))
    return folder


IMAGES = pictures(30)


def _load(path, **options):
    return loading.load(str(path), **options)


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
    loaded = [_load(tmp_path / name) for name in ("folder", "list.csv", "a.npz")]
    loaded.append(loading.load("tiny_images", DataLocation(str(tmp_path / "tfds"))))
    for source in loaded:
        for name in ("x", "y", "x_test", "y_test", "sample_id", "test_id"):
            np.testing.assert_array_equal(getattr(source, name), getattr(loaded[2], name))
    assert loaded[0].class_names == loaded[3].class_names == ("ant", "bee", "cat")


def test_folder_without_test_part_is_split(tmp_path):
    order = save_folder(tmp_path, IMAGES)
    source = _load(tmp_path)
    assert len(source.y) == 24 and np.bincount(source.y_test).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(source.x, IMAGES[order][source.sample_id])
    np.testing.assert_array_equal(source.x_test, IMAGES[order][source.test_id])
    assert not source.clean_known


def test_val_stands_in_for_test_and_hidden_files_are_passed_over(tmp_path):
    save_folder(tmp_path / "train", IMAGES[:12])
    save_folder(tmp_path / "val", IMAGES[12:18])
    (tmp_path / "train" / ".DS_Store").touch()
    (tmp_path / "train" / "ant" / ".DS_Store").touch()
    source = _load(tmp_path)
    assert len(source.y) == 12 and len(source.y_test) == 6


def test_grey_images_stay_grey_unless_one_has_colour(tmp_path):
    save_folder(tmp_path / "grey", pictures(9, (6, 5, 1)))
    assert _load(tmp_path / "grey").x.shape[1:] == (6, 5, 1)
    save(tmp_path / "grey" / "ant" / "colour.png", IMAGES[0])
    assert _load(tmp_path / "grey").x.shape[1:] == (6, 5, 3)


def test_images_of_any_size_are_scaled_and_cropped(tmp_path):
    for row, shape in enumerate([(8, 16, 3), (16, 8, 3), (4, 4, 3), (8, 8, 3)] * 3):
        image = np.zeros(shape, np.uint8)
        image[:, : shape[1] // 2], image[:, shape[1] // 2 :] = 40, 200
        save(tmp_path / f"c{row % 2}" / f"{row}.jpg", image)
    with pytest.raises(ValueError, match="one size in .*, received .*: add --image_size=PIXELS"):
        _load(tmp_path)
    source = _load(tmp_path, image_size=8)
    assert source.x.shape[1:] == (8, 8, 3)
    np.testing.assert_allclose(source.x[:, :, 0].mean(axis=(1, 2)), 40, atol=8)
    np.testing.assert_allclose(source.x[:, :, -1].mean(axis=(1, 2)), 200, atol=8)


def test_one_image_by_hand(tmp_path):
    image = np.arange(32, dtype=np.uint8).reshape(4, 8, 1)
    path = str(save(tmp_path / "a.png", image))
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 8, 1)), image)
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 4, 1)), image[:, 2:6])
    wide = read_image(path, ImageFormat(2, 2, 3, margin=2.0))
    np.testing.assert_array_equal(wide, np.repeat(image[1:3, 3:5], 3, axis=2))


def test_turned_photographs_are_turned_back(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 8, axis=1).repeat(8, axis=0))
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    size, channels = examine(str(tmp_path / "a.jpg"))
    assert size == (8, 16) and channels == 1
    turned = read_image(str(tmp_path / "a.jpg"), ImageFormat(16, 8, 1))
    assert turned[0].max() < 10 and turned[-1].min() > 245


def test_second_load_comes_from_the_cache_and_a_change_does_not(tmp_path, cache, monkeypatch):
    order = save_folder(tmp_path, IMAGES)
    first = _load(tmp_path)
    assert sorted(name.rpartition(".")[2] for name in os.listdir(cache)) == ["json", "npz"]
    with monkeypatch.context() as broken:
        broken.setattr("tf_mwn.data.images.lists.read_image", None)
        broken.setattr("tf_mwn.data.images.lists.examine", None)
        np.testing.assert_array_equal(_load(tmp_path).x, first.x)
    save(tmp_path / "ant" / "000.png", 255 - IMAGES[0])
    os.utime(tmp_path / "ant" / "000.png", ns=(1, 1))
    changed = _load(tmp_path)
    together = np.concatenate([changed.x, changed.x_test])
    ids = np.concatenate([changed.sample_id, changed.test_id])
    np.testing.assert_array_equal(together[ids == 0][0], 255 - IMAGES[order][0])


def test_damaged_cache_is_made_again_and_a_lost_one_is_a_warning(tmp_path, cache):
    save_folder(tmp_path / "data", IMAGES)
    first = _load(tmp_path / "data")
    for name in os.listdir(cache):
        (cache / name).write_bytes((cache / name).read_bytes()[:100])
    np.testing.assert_array_equal(_load(tmp_path / "data").x, first.x)
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="images are not cached in"):
        again = _load(tmp_path / "data", location=DataLocation(cache_dir=str(tmp_path / "file")))
    np.testing.assert_array_equal(again.x, first.x)


def test_cache_holds_no_half_written_file(tmp_path):
    def fail(file):
        file.write_bytes(b"half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        image_cache._write(str(tmp_path / "x.npz"), fail)
    assert not os.listdir(tmp_path)


def _break(path, kind):
    whole = path.read_bytes()
    path.write_bytes({"text": b"no image", "empty": b"", "half": whole[: len(whole) // 2]}[kind])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kind", ["text", "empty", "half"])
@pytest.mark.parametrize("stream", ["off", "on"])
def test_broken_files_are_listed(tmp_path, suffix, kind, stream):
    save_folder(tmp_path, IMAGES, suffix=suffix)
    for row in range(7):
        _break(tmp_path / ("ant", "bee", "cat")[row % 3] / f"{row:03d}.{suffix}", kind)
    with pytest.raises(ValueError, match="received 7 unusable, the first 5: ant.000") as caught:
        _load(tmp_path, stream=stream)
    assert str(caught.value).count(f".{suffix} (") == 5 and "\n" not in str(caught.value)


def test_images_of_sixteen_bits_are_refused(tmp_path):
    save_folder(tmp_path, IMAGES)
    Image.fromarray(np.zeros((6, 5), np.uint16)).save(tmp_path / "ant" / "000.png")
    with pytest.raises(ValueError, match=r"1 unusable: ant.000.png \(more than 8 bits"):
        _load(tmp_path)


def _empty(root):
    root.mkdir()


def _flat(root):
    save(root / "a.png", IMAGES[0])


def _one_class(root):
    save_folder(root, IMAGES, classes=("ant",))


def _empty_class(root):
    save_folder(root, IMAGES)
    (root / "dog").mkdir()


def _all_empty(root):
    (root / "ant").mkdir(parents=True)
    (root / "bee").mkdir()


def _other_files(root):
    save_folder(root, IMAGES)
    for name in ("a.txt", "b.gif"):
        (root / "bee" / name).touch()


def _new_class(root):
    save_folder(root / "train", IMAGES)
    save_folder(root / "test", IMAGES, classes=("ant", "elk"))


BAD_FOLDERS = [
    (_empty, "received an empty folder"),
    (_flat, "received a folder without class folders"),
    (_one_class, "two class folders or more in .*, received ant alone"),
    (_empty_class, "images in .*dog, received an empty folder"),
    (_all_empty, "received none in any class folder"),
    (_other_files, "received 2 others: bee/a.txt, bee/b.gif"),
    (_new_class, "every class of .*test among the 3 of train, received elk"),
]


@pytest.mark.parametrize("make, message", BAD_FOLDERS)
def test_bad_folders_are_refused(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(ValueError, match=message) as caught:
        _load(tmp_path / "data")
    assert "\n" not in str(caught.value)


def _csv(tmp_path, text, **options):
    for row, image in enumerate(IMAGES[:12]):
        save(tmp_path / "images" / f"{row}.png", image)
    (tmp_path / "list.csv").write_text(text)
    return _load(tmp_path / "list.csv", **options)


def test_csv_with_names_noise_and_parts(tmp_path):
    kinds, parts = ["bird", "ant"], ["train"] * 8 + ["test"] * 2 + ["meta"] * 2
    rows = [
        f"images/{i}.png,{kinds[(i + (i < 2)) % 2]},{kinds[i % 2]},{parts[i]}" for i in range(12)
    ]
    source = _csv(tmp_path, "path,label,clean_label,split\n" + "\n".join(rows) + "\n")
    assert source.class_names == ("ant", "bird") and source.clean_known
    np.testing.assert_array_equal(source.y, [1, 0] * 4)
    np.testing.assert_array_equal(source.y_given, [0, 1] + [1, 0] * 3)
    np.testing.assert_array_equal(source.x, IMAGES[:8])
    np.testing.assert_array_equal(source.x_test, IMAGES[8:10])
    np.testing.assert_array_equal(source.meta_pool.x, IMAGES[10:12])
    np.testing.assert_array_equal(source.meta_pool.label, [1, 0])


BAD_CSV = {
    "header": ("file,label\nimages/0.png,0\n", "header path,label .*received .'file', 'label'"),
    "empty": ("", r"header path,label .*received \[\]"),
    "no rows": ("path,label\n", "received the header alone"),
    "short": ("path,label\nimages/0.png,0\nimages/1.png\n", "line 3 of .*received 'images/1.png'"),
    "long": ("path,label\nimages/0.png,0,1\n", "line 2 of .*list.csv"),
    "no label": ("path,label\nimages/0.png,\n", "path,label in line 2"),
    "split": ("path,label,split\nimages/0.png,0,val\n", "line 2 of .*0.png,0,val"),
    "no train": ("path,label,split\nimages/0.png,0,test\n", "rows of split train"),
    "missing": ("path,label\nimages/0.png,0\nimages/x.png,1\n", r"1 unusable: .*x.png \(missing\)"),
    "one class": ("path,label\nimages/0.png,0\nimages/1.png,0\n", "at least two classes"),
    "gap": ("path,label\nimages/0.png,0\nimages/1.png,2\n", "no example of class 1"),
    "negative": ("path,label\nimages/0.png,0\nimages/1.png,-1\n", "at least 0, received -1"),
    "new class": (
        "path,label,split\nimages/0.png,a,\nimages/1.png,b,train\nimages/2.png,c,test\n",
        "y_test",
    ),
}


@pytest.mark.parametrize("text, message", BAD_CSV.values(), ids=BAD_CSV.keys())
def test_bad_csv_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        _csv(tmp_path, text)
    assert "\n" not in str(caught.value)


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
        _load(tmp_path / "nothing.csv")
