"""The card of prepared data: by hand, as JSON and as text."""

import json

import numpy as np

from tests.data.bias.toy_images import toy_source
from tests.data.splits.toy_rows import prepared_rows, rows_source
from tf_mwn.data.splits import biased_data, card


def test_full_card_is_json_and_fits_a_terminal():
    other = toy_source(per_class=300)
    settings = biased_data.BiasSettings(
        meta_size=20,
        noise="background",
        noise_rate=0.4,
        noise_sampling="exact",
        imbalance_factor=3.0,
        open_set="toy",
        open_set_rate=0.1,
        data_noise="gaussian",
        data_noise_rate=0.1,
        meta_noise="uniform",
        meta_noise_rate=0.2,
        meta_imbalance_factor=2.0,
    )
    data = biased_data.prepare(toy_source(num_classes=10), settings, 0, other)
    assert json.loads(json.dumps(data.card, allow_nan=False)) == data.card
    text = card.format_card(data.card)
    assert len(text.splitlines()) <= 25 and max(map(len, text.splitlines())) <= 120


def test_unknown_clean_labels_are_said_to_be_so():
    source = rows_source(clean_known=False)
    data = prepared_rows(source)
    assert data.train.clean_label is None and data.card["noise"]["realised_matrix"] is None
    assert "not known" in card.format_card(data.card)
    data = prepared_rows(source, noise="uniform", noise_rate=0.4)
    assert data.card["clean_labels"] == "assumed" and data.card["noise"]["realised_rate"] > 0


def test_card_is_json_and_fits_a_terminal():
    data = prepared_rows(
        rows_source(60, 10), meta_size=20, noise="flip2", noise_rate=0.4, validation_size=50
    )
    assert json.loads(json.dumps(data.card, allow_nan=False)) == data.card
    text = card.format_card(data.card)
    assert len(text.splitlines()) <= 25 and max(map(len, text.splitlines())) <= 100
    assert "nominal rate 0.4, realised 0." in text
    many = prepared_rows(rows_source(4, 20), meta_size=20, noise="flip", noise_rate=0.4)
    assert len(card.format_card(many.card).splitlines()) < 10


def test_card_by_hand():
    got = prepared_rows(validation_size=16, noise="symmetric", noise_rate=1.0).card
    assert got["sizes"] == {"train": 136, "meta": 8, "validation": 16, "test": 8}
    assert got["meta_per_class"] == [2, 2, 2, 2] and got["noise"]["realised_rate"] == 1.0
    assert np.diag(got["noise"]["realised_matrix"]).tolist() == [0] * 4
    np.testing.assert_allclose(got["noise"]["nominal_matrix"][0], [0] + [1 / 3] * 3, atol=1e-6)


def test_a_validation_part_of_its_own_has_labels_of_its_own():
    x = np.arange(16.0).reshape(8, 2) + 0.25
    source = rows_source(x_validation=x, y_validation=np.arange(8) % 4)
    data = prepared_rows(source, noise="uniform", noise_rate=0.5)
    assert data.card["validation_labels"] == "of the validation part"
    assert prepared_rows(validation_size=16).card["validation_labels"] == "noisy"
    assert prepared_rows().card["validation_labels"] is None
