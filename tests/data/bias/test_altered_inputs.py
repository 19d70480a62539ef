"""Altered inputs: open sets and data noise in prepared data."""

import numpy as np
import pytest

from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS
from tf_mwn.data.images.decoding import fit_images
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data
from tf_mwn.data.subset import DATA_NOISE, OPEN_SET, OWN_INPUT

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)


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


def test_an_open_set_of_another_scale_is_refused():
    unit = build_source(RawSource("unit", np.float32(OTHER.x) / 255, np.arange(len(OTHER.x)) % 2))
    for source, other, received in (
        (_source(), unit, r"\[1, 1\]"),
        (unit, _source(), r"\[0, 199\]"),
    ):
        with pytest.raises(ValueError, match=f"open_set {other.name}: .* received .*{received}"):
            _prepare(other, source=source, open_set=other.name, open_set_rate=0.2)


def test_images_of_bools_take_data_noise():
    x = np.random.default_rng(0).random((40, 6, 6, 1)) < 0.5
    source = build_source(RawSource("bools", x, np.arange(40) % 2))
    data = _prepare(source=source, data_noise="shuffled_pixels", data_noise_rate=0.5)
    assert data.train.x.dtype == np.uint8 and set(np.unique(data.train.x)) == {0, 1}
    own, shuffled = (data.train.x[data.train.altered == kind] for kind in (OWN_INPUT, DATA_NOISE))
    kept = x[data.train.sample_id]
    np.testing.assert_array_equal(own, kept[data.train.altered == OWN_INPUT])
    counts = kept[data.train.altered == DATA_NOISE].sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(shuffled.sum(axis=(1, 2, 3)), counts)
