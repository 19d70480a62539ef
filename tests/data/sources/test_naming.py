"""Names of data sets: whatever is on the disk is the user's own data."""

import os

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, save_folder
from tests.data.sources.npz_files import save_npz
from tf_mwn.data.sources import load
from tf_mwn.data.sources.naming import is_own, kind_of, located, short_name
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs.datasets import load_sources

NAMES = ("flowers", "digits", "mnist", "imagenet_resized")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_own_data_however_it_is_spelled(tmp_path, name):
    order = save_folder(tmp_path / name, IMAGES)
    for spelled in (name, f"{name}/", f"./{name}", f"~/{name}", str(tmp_path / name)):
        config = resolve("quickstart", {"dataset": spelled}, ["cross_entropy"]).config
        assert (config.noise, config.noise_rate, config.augment) == ("none", 0.0, "none"), spelled
        for source in (load(spelled), load_sources(config, _location())[0]):
            np.testing.assert_array_equal(source.x, IMAGES[order][source.sample_id])
        assert config.dataset != name and "~" not in config.dataset
    noise = {"noise": "flip", "noise_rate": 0.1}
    kept = resolve("quickstart", {"dataset": name, **noise}, ["cross_entropy"]).config
    assert kept.noise == "flip", "noise that is asked for"


def _location():
    from tf_mwn.data.sources.location import DEFAULT_LOCATION

    return DEFAULT_LOCATION


def test_the_set_of_a_recipe_is_the_set_whatever_is_on_the_disk(tmp_path):
    save_folder(tmp_path / "digits", IMAGES)
    source, _ = load_sources(resolve("quickstart", {}).config, _location())
    assert source.x.shape[1:] == (8, 8, 1) and len(source.class_names) == 10


def test_other_spellings_of_files_and_sets(tmp_path):
    os.rename(save_npz(tmp_path), tmp_path / "DATA.NPZ")
    (tmp_path / "LIST.CSV").touch()
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").touch()
    kinds = {"DATA.NPZ": "npz", "~/DATA.NPZ": "npz", "LIST.CSV": "csv", "digits": "digits"}
    kinds |= {name: "tfds" for name in ("mnist", "mnist:3.*.*", "imagenet_resized/32x32:1.0.0")}
    assert {name: kind_of(located(name)) for name in kinds} == kinds
    own = {name for name in kinds if is_own(located(name))}
    assert own == {"DATA.NPZ", "~/DATA.NPZ", "LIST.CSV"}
    assert is_own("a_set_that_tfds_does_not_register"), "prepared by the user in --data_dir"
    assert len(load("DATA.NPZ").y) == 24


@pytest.mark.parametrize(
    "name", ["/data/flowrs", "./flowrs", "flowrs/", "~/flowrs", "a.CSV", "x/y"]
)
def test_a_path_with_a_typo_does_not_exist(name):
    for options in ({}, {"image_size": 16}, {"stream": "on"}):
        with pytest.raises(ValueError, match="which does not exist$"):
            load(name, **options)


def test_a_tilde_is_expanded_in_every_path(tmp_path):
    given = {"label_file": "~/a.csv", "weight_net": "~/b.json", "open_set": "~/c", "dataset": "~/d"}
    np.savez(tmp_path / "d", x=IMAGES, y=np.arange(len(IMAGES)) % 2)
    (tmp_path / "d.npz").rename(tmp_path / "d")
    more = {"meta_size": 4, "open_set_rate": 0.1}
    config = resolve("quickstart", {**given, **more}, ["meta_weight_net"]).config
    assert {getattr(config, name) for name in given} == {
        str(tmp_path / name) for name in ("a.csv", "b.json", "c", "d")
    }


def test_own_data_name_the_folder_of_the_run(tmp_path):
    np.savez(tmp_path / "my flowers.npz", x=IMAGES, y=np.arange(len(IMAGES)) % 2)
    experiment = resolve(None, {"dataset": f"{tmp_path}/my flowers.npz"})
    assert experiment.facts is not None and experiment.folder == "my_flowers"
    changed = resolve(None, {"dataset": f"{tmp_path}/my flowers.npz", "epochs": 3})
    assert changed.folder.startswith("my_flowers-")
    assert short_name("/") == "own_data" and short_name("~/x/") == "x"
    assert resolve("quickstart", {"dataset": "mnist"}).folder.startswith("quickstart-")
