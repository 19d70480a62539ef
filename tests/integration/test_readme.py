"""Every command of the pages for beginners runs, and every Python block of any page."""

import os
import re
import shlex
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_mwn
from tests.data.images.image_fixtures import pictures, save_folder
from tests.integration.commands import ROOT, launch
from tf_mwn.settings.config import SETTINGS

BEGINNERS = ("README.md", "docs/installation.md", "docs/command_line.md")
TEXT = "".join((ROOT / page).read_text() for page in BEGINNERS)
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCKS = [
    (str(page.relative_to(ROOT)), language, block)
    for page in PAGES
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.M | re.S)
]
SHELL = [
    line.split("  #")[0].strip()
    for page, language, block in BLOCKS
    if page in BEGINNERS and language == "sh"
    for line in block.splitlines()
    if line.strip()
]
# With one seed and one epoch, of which several commands are the same.
LAUNCHES = sorted(
    {
        re.sub(r"--(seed=0,1,2,3,4|epochs=\d+)", "", line).strip()
        for line in SHELL
        if line.startswith("python -m launch.main")
    }
)
DATA_DIR = os.environ.get("TF_MWN_DATA_DIR", "../shared/data/tensorflow_datasets")
# Enough to go through every stage of a run.
QUICK = ("--epochs=1",)


@pytest.mark.parametrize(
    ("page", "code"), [(page, block) for page, language, block in BLOCKS if language == "python"]
)
def test_python_block_runs(page, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "human_ordered" in code:
        _write_human_labels()
    code = re.sub(r"epochs=\d+", "epochs=2", code)
    exec(compile(code, page, "exec"), {} if page == "README.md" else _given())  # noqa: S102


def _write_human_labels() -> None:
    """The two files of CIFAR-N's authors, without their content."""
    names = ("aggre_label", "worse_label", *(f"random_label{i}" for i in (1, 2, 3)))
    for classes, keys in ((10, names), (100, ("noise_label",))):
        lists = {key: np.zeros(5, int) for key in keys}
        np.save(f"CIFAR-{classes}_human_ordered.npy", np.array(lists), allow_pickle=True)


def _given() -> dict:
    """What pages take for granted: imports, ten classes of data, a classifier and a model."""
    rng = np.random.default_rng(0)
    y, y_meta = np.arange(300) % 10, np.arange(60) % 10
    classifier = keras.Sequential(
        [keras.Input((20,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(10)]
    )
    model = tf_mwn.MetaWeightNet(classifier)
    model.compile("sgd")
    return {
        **{"keras": keras, "np": np, "tf": tf, "tf_mwn": tf_mwn},
        **{"x": rng.normal(size=(300, 20)).astype("float32"), "y": y},
        **{"x_meta": rng.normal(size=(60, 20)).astype("float32"), "y_meta": y_meta},
        "network": lambda X, n_classes: keras.Sequential(
            [keras.Input(X.shape[1:]), keras.layers.Dense(n_classes)]
        ),
        **{"classifier": classifier, "model": model, "matrix": np.full((10, 10), 0.1)},
    }


@pytest.mark.parametrize("line", LAUNCHES)
def test_launch_command_runs(line, tmp_path):
    if "$TFDS_DATA_DIR" in line and not (ROOT / DATA_DIR).is_dir():
        pytest.skip(f"no prepared data sets in {DATA_DIR}; set TF_MWN_DATA_DIR")
    line = line.replace("$TFDS_DATA_DIR", str((ROOT / DATA_DIR).resolve()))
    _write_own_data(tmp_path)
    words = shlex.split(line)[3:]
    if not any("list" in word for word in words):
        words += QUICK
    done = launch(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def _write_own_data(folder) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 600)
    np.savez(folder / "mine.npz", x=rng.normal(size=(600, 5)) + y[:, None], y=y)
    save_folder(folder / "photos", pictures(60, (16, 16, 3)))
    save_folder(folder / "checked", 255 - pictures(6, (16, 16, 3)))


def test_make_targets_exist():
    targets = {line.split()[1] for line in SHELL if line.startswith("make")}
    targets |= set(re.findall(r"`make (\w+)`", TEXT))
    assert targets == {"demo", "docs", "test"}
    for target in targets:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_pip_extras_exist():
    setup = (ROOT / "setup.py").read_text()
    for extra in set(re.findall(r"'\.\[(\w+)\]'", TEXT)):
        assert f'"{extra}": [' in setup


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_a_page_names_exists(page):
    sources = "".join(path.read_text() for path in ROOT.glob("tf_mwn/launch/*.py"))
    known = set(re.findall(r'(?:DEFINE(?:_\w+)?\(\s*(?:\w+\(\),\s*)?|\bname=)"(\w+)"', sources))
    known |= set(SETTINGS)
    text = re.sub(r"^```sh.*?^```", "", page.read_text(), flags=re.M | re.S)
    text += "\n".join(line for line in SHELL if "launch" in line)
    others = {"no", "help", "upgrade", "logdir", "flagfile", "verbosity", "samples_per_plugin"}
    for name in set(re.findall(r"(?<!\w)--(\w+)", text)) - others:
        assert name in known or name.removeprefix("no") in known, name


def test_every_short_recipe_is_in_the_table():
    from tf_mwn.recipes.short import SHORT_RECIPES

    for recipe in SHORT_RECIPES:
        assert f"| `{recipe.name}` |" in (ROOT / "README.md").read_text(), recipe.name
