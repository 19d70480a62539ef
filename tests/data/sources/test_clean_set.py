"""Clean examples that lie apart from a data set."""

import logging
import shutil

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, save
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.images.decoding import fit_images
from tf_mwn.data.sources.clean_set import with_clean_set
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DEFAULT_LOCATION
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits.biased_data import prepare


def joined(path, meta, **options):
    raw = read(str(path), **options)
    column = options.get("label_column")
    return build_source(with_clean_set(raw, str(meta), DEFAULT_LOCATION, column))


@pytest.fixture
def folders(tmp_path):
    """20 images in two classes; and clean ones: a copy of one of them, and two others."""
    for row, image in enumerate(IMAGES[:20]):
        save(tmp_path / "photos" / "ab"[row % 2] / f"it's {row}, ü.png", image)
    copy = tmp_path / "clean" / "b" / "copy.png"
    copy.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "photos" / "a" / "it's 4, ü.png", copy)
    save(tmp_path / "clean" / "a" / "1.png", IMAGES[20])
    save(tmp_path / "clean" / "new" / "2.png", IMAGES[21])
    return tmp_path


@pytest.mark.parametrize("stream", ["off", "on"])
def test_copies_are_left_out_of_training_and_new_classes_come_last(folders, stream, caplog):
    with caplog.at_level(logging.WARNING, "tf_mwn"):
        source = joined(folders / "photos", folders / "clean", stream=stream)
    assert "1 training examples are meta examples too" in caplog.text
    assert "only the clean examples hold 1 of the classes (new)" in caplog.text
    assert source.class_names == ("a", "b", "new")
    np.testing.assert_array_equal(source.meta_pool.label, [0, 1, 2])
    clean = np.asarray(source.meta_pool.x)
    np.testing.assert_array_equal(clean, IMAGES[[20, 4, 21]])
    every = np.concatenate([np.asarray(source.x), np.asarray(source.x_test)])
    assert len(every) == 19 and not (every == IMAGES[4]).all(axis=(1, 2, 3)).any()


def test_all_of_them_are_the_meta_set_as_they_are(folders):
    source = joined(folders / "photos", folders / "clean")
    data = prepare(source, BiasSettings(meta_size=3), seed=0)
    assert data.num_classes == 3 and data.meta.label.tolist() == [0, 1, 2]
    assert data.card["train_per_class"]["given"][2] == 0
    assert data.card["test_labels"] == "as doubtful as the others"


def test_tables_are_matched_by_column_and_class_name(tmp_path):
    rows = [f"{i},{2 * i},{'no' if i % 2 else 'yes'}" for i in range(20)]
    (tmp_path / "all.csv").write_text("\n".join(["a,b,y", *rows]))
    (tmp_path / "clean.csv").write_text("y,b,a\nyes,1,2\nno,3,4\n")
    source = joined(tmp_path / "all.csv", tmp_path / "clean.csv", label_column="y")
    np.testing.assert_array_equal(source.meta_pool.x, [[2, 1], [4, 3]])
    assert [source.class_names[k] for k in source.meta_pool.label] == ["yes", "no"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 4)), "y": [0, 1]}, "x_meta: expected the shape of x .3., received .4."),
        ({"x": np.zeros((2, 3)), "y": [0, 1], "class_names": ["a", "b"]}, "meta: expected labels"),
        ({"x": np.full((2, 3), np.nan), "y": [0, 1]}, "x_meta: expected finite values"),
        ({"x": np.zeros((2, 3))}, "meta: expected arrays x"),
    ],
)
def test_clean_sets_that_do_not_fit(tmp_path, arrays, message):
    np.savez(tmp_path / "all.npz", x=np.eye(3)[np.arange(20) % 3], y=np.arange(20) % 2)
    np.savez(tmp_path / "clean.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        joined(tmp_path / "all.npz", tmp_path / "clean.npz")


@pytest.mark.parametrize("stream", ["off", "on"])
def test_they_join_those_of_the_source(folders, stream):
    for row, name in ((22, "b"), (23, "a")):
        save(folders / "both" / "meta" / name / f"{row}.png", IMAGES[row])
    (folders / "photos").rename(folders / "both" / "train")
    source = joined(folders / "both", folders / "clean", stream=stream)
    np.testing.assert_array_equal(source.meta_pool.label, [0, 1, 0, 1, 2])
    np.testing.assert_array_equal(np.asarray(source.meta_pool.x), IMAGES[[23, 22, 20, 4, 21]])
    ids = np.concatenate([source.sample_id, source.test_id, source.meta_pool.sample_id])
    assert len(set(ids.tolist())) == 24


def test_clean_sets_that_cannot_be_one(folders):
    with pytest.raises(ValueError, match="^meta: expected other examples than those to train on"):
        joined(folders / "photos", folders / "photos")
    (folders / "clean" / "a").rename(folders / "clean" / "A")
    (folders / "clean" / "b").rename(folders / "clean" / "B")
    message = "^meta: expected examples of the data's classes, received only A, B, new$"
    with pytest.raises(ValueError, match=message):
        joined(folders / "photos", folders / "clean")


@pytest.mark.parametrize("first", ["train", "test"])
def test_ids_of_a_clean_set_are_those_of_no_row(tmp_path, first):
    parts = sorted(["train", "validation", "test"], key=lambda part: part != first)
    rows = [f"{k},{k % 2},{part}" for k, part in enumerate(np.repeat(parts, 20))]
    (tmp_path / "d.csv").write_text("\n".join(["a,y,split", *rows]))
    clean = [f"{100 + k},{k % 2}" for k in range(10)]
    (tmp_path / "clean.csv").write_text("\n".join(["a,y", *clean]))
    source = joined(tmp_path / "d.csv", tmp_path / "clean.csv", label_column="y")
    others = source.test_id, source.validation.sample_id, source.meta_pool.sample_id
    assert len(np.unique(np.concatenate([source.sample_id, *others]))) == 70


def test_images_keep_their_scale_or_are_refused(tmp_path):
    unit = np.float32(IMAGES) / 255
    np.savez(tmp_path / "all.npz", x=unit[:20], y=np.arange(20) % 2)
    np.savez(tmp_path / "clean.npz", x=unit[20:].repeat(2, axis=1), y=np.arange(10) % 2)
    clean = joined(tmp_path / "all.npz", tmp_path / "clean.npz").meta_pool.x
    assert clean.dtype == np.float32 and clean.max() <= 1
    wanted = fit_images(IMAGES[20:].repeat(2, axis=1), (6, 5, 3), "x") / 255
    np.testing.assert_allclose(clean, wanted, atol=0.01)
    for size in (1, 2):  # of the same shape, and of another
        np.savez(tmp_path / "bytes.npz", x=IMAGES[20:].repeat(size, 1), y=np.arange(10) % 2)
        with pytest.raises(ValueError, match=r"x_meta: .* the scale of x, .* 1\], .* \[0, 255\]"):
            joined(tmp_path / "all.npz", tmp_path / "bytes.npz")


def test_images_without_an_axis_of_channels_get_the_size_of_the_others(tmp_path):
    np.savez(tmp_path / "all.npz", x=IMAGES[:20, ..., 0], y=np.arange(20) % 2)
    np.savez(tmp_path / "clean.npz", x=IMAGES[20:, ..., 0].repeat(2, axis=1), y=np.arange(10) % 2)
    clean = joined(tmp_path / "all.npz", tmp_path / "clean.npz").meta_pool.x
    assert clean.shape == (10, *IMAGES.shape[1:3], 1)


def test_clean_examples_of_a_bundled_test_part_are_worth_a_line(tmp_path, caplog):
    np.savez(tmp_path / "clean.npz", x=IMAGES[14:18], y=np.arange(4) % 2)
    labels = np.arange(20) % 2
    bundled = RawSource(
        "bundled", IMAGES[:16], labels[:16], x_test=IMAGES[16:20], y_test=labels[:4]
    )
    build_source(with_clean_set(bundled, str(tmp_path / "clean.npz"), DEFAULT_LOCATION))
    assert "bundled: 2 of the 4 meta images are test images too" in caplog.text


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_sequences_get_the_length_of_the_others(tmp_path, kind):
    def save_tokens(name, rows):
        path = tmp_path / f"{name}.{kind}"
        if kind == "csv":
            lines = [f"{' '.join(map(str, row))},{k % 2}" for k, row in enumerate(rows)]
            path.write_text("\n".join(["tokens,y", *lines]))
        else:
            np.savez(path, tokens=rows, y=np.arange(len(rows)) % 2)
        return path

    options = {"label_column": "y"} if kind == "csv" else {}
    path = save_tokens("all", [[k, 2, 3, 4, 5] for k in range(1, 21)])
    clean = save_tokens("clean", [[7, 8, 9], [9, 8, 7]])
    found = joined(path, clean, **options).meta_pool.x
    np.testing.assert_array_equal(found, [[7, 8, 9, 0, 0], [9, 8, 7, 0, 0]])
    clean = save_tokens("long", [[7, 8, 9, 1, 2, 3]])
    message = "^x_meta: expected sequences of at most 5 tokens, .* received one of 6$"
    with pytest.raises(ValueError, match=message):
        joined(path, clean, **options)


def test_a_class_that_only_copies_had_is_worth_a_line(tmp_path, caplog):
    x, names = np.arange(40.0).reshape(20, 2), ["a", "b", "c"]
    arrays = {"x": x, "y": np.repeat([0, 1, 2], [9, 9, 2])}
    np.savez(tmp_path / "all.npz", **arrays, class_names=names)
    few = {name: array[16:] for name, array in arrays.items()}
    np.savez(tmp_path / "clean.npz", **few, class_names=names)
    source = joined(tmp_path / "all.npz", tmp_path / "clean.npz")
    assert set(source.y) == {0, 1}
    assert "only the clean examples hold 1 of the classes (c)" in caplog.text
