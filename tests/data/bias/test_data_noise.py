"""Altered images: each kind of data noise, open-set images, and what becomes of labels."""

import numpy as np
import pytest

from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS, alter_images
from tf_mwn.data.images.decoding import fit_images
from tf_mwn.data.seeds import generator
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data
from tf_mwn.data.subset import DATA_NOISE, OPEN_SET, OWN_INPUT

MEAN, STD = np.array([120.0, 100.0, 80.0]), np.array([20.0, 30.0, 10.0])
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)


def _alter(kind, images=IMAGES, seed=0):
    return alter_images(images, kind, MEAN, STD, generator(seed, "data noise"))


def _sorted_pixels(images):
    """Each image's pixels in one order that any order of them shares."""
    codes = images.astype(np.int64) @ [1, 256, 65536]
    return np.sort(codes.reshape(len(images), -1), axis=1)


def test_gaussian_images_have_mean_and_deviation_of_the_set():
    images = _alter("gaussian", np.repeat(IMAGES, 20, axis=0))
    assert images.dtype == np.uint8
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), MEAN, atol=1)
    np.testing.assert_allclose(images.std(axis=(0, 1, 2)), STD, rtol=0.03)
    assert _alter("gaussian", IMAGES.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("kind", ["shuffled_pixels", "random_pixels"])
def test_shuffled_images_keep_their_pixels(kind):
    images = _alter(kind)
    np.testing.assert_array_equal(_sorted_pixels(images), _sorted_pixels(IMAGES))
    assert not np.array_equal(images, IMAGES)


def test_shuffled_pixels_are_one_order_and_random_pixels_many(monkeypatch):
    same = np.broadcast_to(IMAGES[0], IMAGES.shape)
    assert len(np.unique(_alter("shuffled_pixels", same), axis=0)) == 1
    assert len(np.unique(_alter("random_pixels", same), axis=0)) == len(same)
    whole = _alter("shuffled_pixels")
    monkeypatch.setattr("tf_mwn.data.bias.data_noise._CHUNK", 7)
    np.testing.assert_array_equal(_alter("shuffled_pixels"), whole)


def test_corrupted_images_are_altered_in_four_ways():
    images = np.zeros((200, 8, 8, 1), np.uint8)
    images[:, :, 4:] = 200
    altered = alter_images(images, "corrupted", MEAN[:1], STD[:1], generator(0, "x"))
    values = [set(np.unique(image)) for image in altered]
    kinds = {
        "contrast": sum(v == {75, 125} for v in values),
        "cover": sum(v == {0, 100, 200} for v in values),
        "blur": sum(v == {0, 40, 80, 120, 160, 200} for v in values),
    }
    kinds["noise"] = 200 - sum(kinds.values())
    assert min(kinds.values()) > 30
    np.testing.assert_array_equal(altered.shape, images.shape)


@pytest.mark.parametrize("kind", DATA_NOISE_KINDS)
def test_images_depend_on_the_seed_alone_and_empty_ones_stay_empty(kind):
    np.testing.assert_array_equal(_alter(kind), _alter(kind))
    assert np.array_equal(_alter(kind), _alter(kind, seed=1)) == (kind == "none")
    assert _alter(kind, IMAGES[:0]).shape == (0, 8, 8, 3)


def test_inputs_that_are_no_images_are_refused():
    with pytest.raises(
        ValueError, match=r"data_noise: .* for gaussian, received inputs of shape \[5, 3"
    ):
        _alter("gaussian", np.zeros((5, 3)))


def _source(shape=(8, 8, 3), size=400, name="toy"):
    x = np.random.default_rng(1).integers(0, 200, (size, *shape)).astype(np.uint8)
    x[:, 0, 0, 0] = np.arange(size) % 200
    return build_source(RawSource(name, x, np.arange(size) % 4))


def _prepare(other=None, seed=0, source=None, **settings):
    settings = {"meta_size": 8, **settings}
    return biased_data.prepare(
        source or _source(), biased_data.BiasSettings(**settings), seed, other
    )


OTHER = build_source(RawSource("other", np.full((300, 8, 8, 3), 255, np.uint8), np.arange(300) % 2))


def test_open_set_replaces_images_and_keeps_labels():
    plain = _prepare(noise="symmetric", noise_rate=0.5)
    data = _prepare(OTHER, noise="symmetric", noise_rate=0.5, open_set="other", open_set_rate=0.25)
    foreign = data.train.altered == OPEN_SET
    assert foreign.sum() == round(0.25 * len(data.train))
    np.testing.assert_array_equal(data.train.label, plain.train.label)
    np.testing.assert_array_equal(data.train.sample_id, plain.train.sample_id)
    assert np.all(data.train.x[foreign] == 255)
    np.testing.assert_array_equal(data.train.x[~foreign], plain.train.x[~foreign])
    assert np.all(data.train.clean_label[foreign] == -1)
    np.testing.assert_array_equal(
        data.train.clean_label[~foreign], plain.train.clean_label[~foreign]
    )
    np.testing.assert_array_equal(data.test.x, plain.test.x)
    np.testing.assert_array_equal(data.meta.x, plain.meta.x)
    noise = data.card["noise"]
    wrong = data.train.label != data.train.clean_label
    assert data.card["wrong_fraction"] == wrong.mean() > noise["realised_rate"]
    assert noise["realised_rate"] == wrong[~foreign].mean()
    assert data.card["open_set"] == {
        "source": "other",
        "nominal_rate": 0.25,
        "realised_rate": foreign.mean(),
    }


@pytest.mark.parametrize("kind", [kind for kind in DATA_NOISE_KINDS if kind != "none"])
def test_data_noise_alters_its_fraction_and_leaves_the_rest(kind):
    plain = _prepare(validation_size=40)
    data = _prepare(validation_size=40, data_noise=kind, data_noise_rate=0.3)
    for part, whole in ((data.train, plain.train), (data.validation, plain.validation)):
        altered = part.altered == DATA_NOISE
        assert altered.sum() == round(0.3 * len(part))
        np.testing.assert_array_equal(part.x[~altered], whole.x[~altered])
        assert np.all(np.any(part.x[altered] != whole.x[altered], axis=(1, 2, 3)))
        unknown = part.clean_label == -1
        np.testing.assert_array_equal(unknown, altered & (kind in ("gaussian", "random_pixels")))
    assert f"{kind}: nominal rate 0.3, realised 0.3" in bias_text(data)


def bias_text(data):
    from tf_mwn.data.splits.card import format_card

    return format_card(data.card)


def test_clean_validation_keeps_its_images():
    plain = _prepare(validation_size=40)
    data = _prepare(
        validation_size=40, validation_labels="clean", data_noise="gaussian", data_noise_rate=1.0
    )
    np.testing.assert_array_equal(data.validation.x, plain.validation.x)
    assert data.validation.altered is None


def test_higher_rates_alter_more_of_the_same_and_both_kinds_are_apart():
    low, high = (_prepare(OTHER, open_set="other", open_set_rate=rate) for rate in (0.2, 0.6))
    assert np.all(high.train.altered[low.train.altered == OPEN_SET] == OPEN_SET)
    both = _prepare(
        OTHER, open_set="other", open_set_rate=0.5, data_noise="gaussian", data_noise_rate=0.5
    )
    counts = np.bincount(both.train.altered, minlength=3)
    assert counts[OWN_INPUT] == 0 and counts[OPEN_SET] == counts[DATA_NOISE]
    assert both.card["noise"]["realised_rate"] is None and both.card["wrong_fraction"] == 1.0
    assert both.card["train_per_class"]["clean"] == [0] * 4
    assert "labels wrong for their image in all 1" in bias_text(both)


def test_open_set_of_another_size_is_fitted():
    grey = build_source(RawSource("grey", np.full((300, 5, 9), 77, np.uint8), np.arange(300) % 2))
    data = _prepare(grey, open_set="grey", open_set_rate=0.1)
    assert np.all(data.train.x[data.train.altered == OPEN_SET] == 77)
    np.testing.assert_array_equal(fit_images(IMAGES, (8, 8, 3), "x"), IMAGES)
    assert fit_images(IMAGES, (6, 4, 1), "x").shape == (60, 6, 4, 1)


BAD = {
    "not given": (
        dict(open_set="other", open_set_rate=0.1),
        None,
        "open_set: expected the source other, received none",
    ),
    "not asked": ({}, OTHER, "open_set: expected no source, received other"),
    "few": (
        dict(open_set="other", open_set_rate=1.0, source=_source(size=2000)),
        OTHER,
        "at least 1592 images, received 240 in other",
    ),
}


@pytest.mark.parametrize("settings, other, message", BAD.values(), ids=BAD.keys())
def test_bad_open_sets_are_refused(settings, other, message):
    with pytest.raises(ValueError, match=message):
        _prepare(other, **settings)


def test_features_take_no_foreign_images():
    table = build_source(RawSource("table", np.arange(80.0).reshape(40, 2), np.arange(40) % 2))
    with pytest.raises(ValueError, match=r"can become \[2\], received inputs of shape \[8, 8, 3\]"):
        _prepare(OTHER, source=table, open_set="other", open_set_rate=0.5)
