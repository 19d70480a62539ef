"""Files that a kill cannot tear, and folders that hold one configuration."""

import numpy as np
import pytest

from tests.models import mlp
from tf_mwn.experiments import checkpoint
from tf_mwn.experiments.run_folder import FolderConflictError, RunFolder
from tf_mwn.methods.meta_weight_net import MetaWeightNet


def test_a_failed_write_leaves_the_old_file(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_text("a.txt", "old")
    with pytest.raises(RuntimeError), folder.replacing("a.txt") as path:
        path.write_text("half of the ne")
        raise RuntimeError("killed")
    assert (folder / "a.txt").read_text() == "old"
    folder.claim({"seed": 0})
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "config.json"}


def test_a_folder_is_claimed_by_one_configuration(tmp_path):
    folder = RunFolder(tmp_path / "deep" / "seed0")
    folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.1}})
    folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.1}})
    with pytest.raises(FolderConflictError, match="settings.rate = 0.1, not 0.2"):
        folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.2}})


def compiled():
    model = MetaWeightNet(mlp())
    model.compile("sgd")
    return model


def test_checkpoint_restores_every_variable(tmp_path):
    folder, model = RunFolder(tmp_path), compiled()
    assert checkpoint.restore(folder, model) == []
    rng = np.random.default_rng(0)
    for variable in model.state_variables():
        variable.assign(rng.integers(0, 9, variable.shape))
    checkpoint.save(folder, model, [{"epoch": 1, "loss": 0.5}])
    other = compiled()
    assert checkpoint.restore(folder, other) == [{"epoch": 1, "loss": 0.5}]
    for a, b in zip(model.state_variables(), other.state_variables(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no archive"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path, damage):
    folder, model = RunFolder(tmp_path), compiled()
    checkpoint.save(folder, model, [])
    path = folder / checkpoint.CHECKPOINT
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged = {
        "truncated": content[: len(content) // 2],
        "flipped": content,
        "no archive": b"hello",
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(FolderConflictError, match="damaged"):
        checkpoint.restore(folder, model)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    folder = RunFolder(tmp_path)
    checkpoint.save(folder, compiled(), [])
    wider = MetaWeightNet(mlp(), weight_net_units=(7,))
    wider.compile("sgd")
    with pytest.raises(FolderConflictError, match="other shapes"):
        checkpoint.restore(folder, wider)
