"""Settings that follow a user's data."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.images.image_fixtures import save
from tf_mwn.data.sources.facts import IMAGES, TABLE, TOKENS, look
from tf_mwn.recipes import listing
from tf_mwn.recipes.experiment import resolve
from tf_mwn.settings.config import SETTINGS

RNG = np.random.default_rng(0)
N = 300


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_MWN_CACHE", str(tmp_path / "cache"))


def archive(name="mine.npz", **arrays):
    y = np.arange(N) % 3
    np.savez(name, **{"x": RNG.normal(size=(N, 6)), "y": y, **arrays})
    return {"dataset": name}


def folder(sizes, name="photos"):
    for row, size in enumerate(sizes):
        save(Path(name, "ab"[row % 2], f"{row}.jpg"), RNG.integers(0, 255, (*size, 3), np.uint8))
    return {"dataset": name}


@pytest.mark.parametrize(
    ("shape", "network", "more"),
    [
        ((6,), "mlp", {"optimizer": "adam", "augment": "none"}),
        ((8, 8), "small_cnn", {"optimizer": "sgd", "augment": "none"}),
        ((32, 32, 3), "small_cnn", {"augment": "crop_flip", "decay_epochs": (40, 50)}),
    ],
)
def test_the_network_follows_the_inputs(shape, network, more):
    config = resolve(None, archive(x=RNG.normal(size=(N, *shape)))).config
    assert config.network == network and config.batch_size == 24 and config.noise == "none"
    assert {name: getattr(config, name) for name in more} == more


def test_sequences_of_tokens_have_a_network_of_their_vocabulary():
    tokens = RNG.integers(1, 50, (N, 7))
    tokens[0, 0] = 80
    np.savez("text.npz", tokens=tokens, y=np.arange(N) % 3)
    experiment = resolve(None, {"dataset": "text.npz"})
    assert experiment.facts.kind == TOKENS and experiment.config.network == "gru_81"
    assert experiment.methods == ("sce",) and experiment.folder == "text"


@pytest.mark.parametrize(
    ("sizes", "image_size", "shape"),
    [
        ([(32, 32)] * 20, 32, (32, 32, 3)),
        ([(20, 40)] * 20, None, (20, 40, 3)),
        ([(45, 60), (50, 47), (90, 70)] * 7, 40, (40, 40, 3)),
        ([(300, 200)] * 20, 64, (64, 64, 3)),
    ],
)
def test_images_become_small_ones_of_one_size(sizes, image_size, shape):
    experiment = resolve(None, folder(sizes))
    assert experiment.config.image_size == image_size and experiment.facts.shape == shape
    assert experiment.facts.kind == IMAGES and experiment.facts.size == len(sizes) - 4
    assert resolve(None, {"dataset": "photos", "image_size": 16}).facts.shape == (16, 16, 3)


def test_the_method_follows_what_is_known():
    clean = {"x_meta": RNG.normal(size=(9, 6)), "y_meta": [0, 1, 2, 0, 0, 0, 0, 0, 0]}
    for arrays, overrides, method, size, sampling in (
        ({}, {}, "sce", 0, "uniform"),
        (clean, {}, "robust", 9, "by_class"),
        (clean, {"meta_size": 0}, "sce", 0, "by_class"),
        ({"y_clean": np.arange(N) % 3}, {}, "robust", 30, "uniform"),
        ({}, {"meta_size": 12}, "robust", 12, "uniform"),
    ):
        found = resolve(None, {**archive(**arrays), **overrides})
        assert found.methods == (method,)
        assert found.config.logit_adjustment == (1.0 if method == "sce" else None)
        assert (found.config.meta_size, found.config.meta_sampling) == (size, sampling)
    images = archive(x=RNG.normal(size=(N, 8, 8)))
    assert resolve(None, images).methods == ("elr",)


def test_options_of_the_chosen_method_are_set_for_no_other():
    chosen = resolve(None, archive())
    assert resolve(None, archive(), ["sce"]).folder == chosen.folder
    for methods in (["gce"], ["sce", "gce"]):
        assert resolve(None, archive(), methods).config.logit_adjustment is None
    assert resolve(None, {**archive(), "logit_adjustment": 0.0}).config.logit_adjustment == 0


def test_clean_examples_beside_a_set_that_has_a_name_are_taken_whole():
    np.savez("clean.npz", x=RNG.normal(size=(8, 8, 8)), y=[0, 0, 0, 0, 0, 1, 2, 9])
    config = resolve(None, {"meta": "clean.npz"}).config
    assert (config.dataset, config.meta_size, config.meta_sampling) == ("digits", 8, "by_class")
    assert resolve(None, {"meta": "clean.npz", "meta_size": 3}).config.meta_size == 3


def test_the_fall_of_the_rate_follows_the_epochs():
    images = archive(x=RNG.normal(size=(N, 8, 8)))
    first, shorter = resolve(None, images), resolve(None, {**images, "epochs": 12})
    assert (first.config.epochs, first.config.decay_epochs) == (60, (40, 50))
    assert shorter.config.decay_epochs == (8, 10) and shorter.folder != first.folder
    assert resolve(None, {**images, "epochs": 1}).config.decay_epochs == ()
    assert "epochs = 60: 600 steps" in listing.experiment(first)


def test_a_recipe_keeps_its_image_size_when_the_data_are_looked_at():
    folder([(30, 40)] * 20)
    given = {"dataset": "photos"}
    assert resolve("quickstart", given, ["gce"]).facts.shape == (30, 40, 3)
    data = {"dataset": "photos", "image_size": 16}
    assert resolve("quickstart", data, ["gce"]).facts.shape == (16, 16, 3)


def test_no_meta_set_is_cut_from_doubtful_labels():
    for recipe in (None, "quickstart"):
        with pytest.raises(ValueError, match="meta: expected clean examples for robust .*--meta="):
            resolve(recipe, archive(), ["robust"])
        assert resolve(recipe, {**archive(), "meta_size": 9}, ["robust"]).config.meta_size == 9
        assert resolve(recipe, archive(), ["gce"]).config.meta_size == 0


def test_every_reason_is_shown_unless_the_user_decides():
    text = listing.experiment(resolve(None, archive()))
    assert "your data mine.npz: 240 training rows of 6 in 3 classes, no clean examples" in text
    assert "network = mlp: features" in text and "launch.audit --run=RUN --ask=100" in text
    text = listing.experiment(resolve(None, {**archive(), "network": "lenet"}, ["cross_entropy"]))
    assert "network = mlp" not in text and "method = sce" not in text


def test_the_flags_of_a_run_hold_whatever_followed_the_data():
    first = resolve(None, {**archive(), "epochs": 3})
    flags = dict(line[2:].split("=", 1) for line in first.flags("sce", 0).splitlines())
    assert flags.pop("recipe") == "own_data" and flags["network"] == "mlp"
    given = {n: SETTINGS[n].parse(v) for n, v in flags.items() if n in SETTINGS}
    again = resolve("own_data", given, [flags["method"]])
    assert again.config == first.config and again.folder == first.folder
    with pytest.raises(ValueError, match="dataset: expected a path with recipe own_data"):
        resolve("own_data", {})


def test_facts_of_a_table_and_its_clean_rows():
    rows = "\n".join(f"{i},{i % 2}" for i in range(50))
    for name in ("all.csv", "clean.csv"):
        with open(name, "w") as file:
            file.write(f"a,y\n{rows}\n")
    found = look("all.csv", meta="clean.csv", label_column="y")
    assert (found.kind, found.shape, found.size, found.classes) == (TABLE, (1,), 40, 2)
    assert found.clean_counts == (25, 25) and not found.clean_known
