"""A cache of decoded images for each test; the same data in memory and streamed."""

import pytest

from tests.data.images.image_fixtures import pictures, save_folder
from tf_mwn.data.sources import loading
from tf_mwn.data.splits import biased_data


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TF_MWN_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    save_folder(root / "train", pictures(48, (8, 8, 3)))
    save_folder(root / "test", pictures(7, (8, 8, 3), seed=1))
    return root


@pytest.fixture
def both(folder, tmp_path, monkeypatch):
    """The same data in memory and streamed."""
    monkeypatch.setenv("TF_MWN_CACHE", str(tmp_path))
    settings = biased_data.BiasSettings(
        meta_size=6, noise="symmetric", noise_rate=0.5, validation_size=6
    )
    return [
        biased_data.prepare(loading.load(str(folder), stream=stream), settings, 0)
        for stream in ("off", "on")
    ]
