"""Checkpoints: every variable, nothing damaged, and always one that is good."""

import dataclasses
import json
import random

import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.files import Folder, FolderConflictError
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.runs import checkpoint

BEFORE = "checkpoint_before.npz"
HISTORY = [{"epoch": 1, "loss": 0.5}]


def compiled(**options):
    model = MetaWeightNet(mlp(), **options)
    model.compile("sgd", metrics=["accuracy"])
    return model


def fill(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.state_variables():
        variable.assign(rng.integers(0, 9, variable.shape))


def state(model):
    return [variable.numpy() for variable in model.state_variables()]


def assert_same(states, others):
    for a, b in zip(states, others, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def two(tmp_path):
    """A folder with the checkpoints of two epochs, and the states in them."""
    folder, model, states = Folder(tmp_path), compiled(), []
    for epoch in (1, 2):
        fill(model, epoch)
        states.append(state(model))
        checkpoint.save(folder, model, HISTORY * epoch)
    return folder, states


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_restores_every_variable(tmp_path):
    folder, model = Folder(tmp_path), compiled()
    assert checkpoint.restore(folder, model) == []
    fill(model, 0)
    checkpoint.save(folder, model, HISTORY)
    other = compiled()
    assert checkpoint.restore(folder, other) == HISTORY
    assert_same(state(model), state(other))


def test_a_flipped_bit_is_found_or_changes_nothing(two):
    folder, states = two
    model, path = compiled(), folder / checkpoint.CHECKPOINT
    whole, rng, found = path.read_bytes(), random.Random(0), 0
    # Every kind of place: both ends, where the archive describes itself, and anything between.
    places = [*range(0, 200, 7), *range(len(whole) - 200, len(whole), 7)]
    places += [rng.randrange(len(whole)) for _ in range(60)]
    for place in places:
        content = bytearray(whole)
        content[place] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            history = checkpoint.restore(folder, model)
        except FolderConflictError:
            found += 1
        else:
            assert history == HISTORY * 2
            assert_same(state(model), states[1])
    assert found > len(places) / 2


def test_a_changed_value_in_a_whole_archive_is_found(two):
    path = two[0] / checkpoint.CHECKPOINT
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **arrays)
    assert checkpoint.restore(two[0], compiled()) == HISTORY * 2
    np.savez(path, **{**arrays, "v0": arrays["v0"] + 1})
    with pytest.raises(FolderConflictError, match="does not match its digest"):
        checkpoint.restore(two[0], compiled())


@pytest.mark.parametrize("kind", ["truncated", "flipped", "empty", "no archive", "missing"])
def test_the_one_before_takes_the_place_of_a_damaged_one(two, kind, capsys):
    folder, states = two
    path, model = folder / checkpoint.CHECKPOINT, compiled()
    content = path.read_bytes()
    if kind == "missing":
        path.unlink()
    elif kind == "flipped":
        damage(path)
    else:
        damaged = {"truncated": content[: len(content) // 2], "empty": b"", "no archive": b"hello"}
        path.write_bytes(damaged[kind])
    checkpoint.recover(folder)
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and "continuing from the epoch before" in line
    assert ("missing" if kind == "missing" else "damaged") in line
    assert checkpoint.restore(folder, model) == HISTORY
    assert_same(state(model), states[0])
    # The next epoch must not put the damaged one in the place of the good one.
    checkpoint.save(folder, model, HISTORY * 2)
    damage(path)
    checkpoint.recover(folder)
    assert checkpoint.restore(folder, model) == HISTORY


def test_good_checkpoints_are_left_alone(two, capsys):
    before = {path.name: path.read_bytes() for path in two[0].path.iterdir()}
    checkpoint.recover(two[0])
    assert {path.name: path.read_bytes() for path in two[0].path.iterdir()} == before
    assert capsys.readouterr().out == ""


def test_two_damaged_ones_are_one_sentence(two):
    damage(two[0] / checkpoint.CHECKPOINT)
    damage(two[0] / BEFORE)
    with pytest.raises(FolderConflictError, match="damaged.*damaged.*delete the folder"):
        checkpoint.recover(two[0])


def test_a_checkpoint_of_another_model_is_refused(two):
    with pytest.raises(FolderConflictError, match="other shapes"):
        checkpoint.restore(two[0], compiled(weight_net_units=(7,)))


def step(model, rows):
    rng = np.random.default_rng(rows)
    x = tf.constant(rng.normal(size=[4, 5]).astype("float32"))
    y = tf.constant(rng.integers(0, 3, 4))
    ids = tf.range(4)
    element = {"inputs": x, "sample_id": ids, "meta_inputs": x, "meta_labels": y}
    return model.train_step((element, y))


def test_a_part_of_an_epoch_keeps_the_metrics_of_its_steps(tmp_path):
    folder, model, other = Folder(tmp_path), compiled(), compiled()
    other.set_weights(model.get_weights())
    for i in range(3):
        step(model, i)
        if i == 1:
            checkpoint.save_part(folder, model, epoch=4, step=2)
    part = checkpoint.find_part(folder, 4)
    assert part.step == 2
    part.restore_variables(other)
    logs = step(other, 2)
    part.add_metrics(other)
    assert_same(state(model), state(other))
    whole = {name: float(value) for name, value in model.get_metrics_result().items()}
    assert {n: float(v) for n, v in other.get_metrics_result().items()} == whole
    assert float(logs["loss"]) != whole["loss"]  # of its one step
    with pytest.raises(FolderConflictError, match="delete it to start its epoch again"):
        dataclasses.replace(part, metrics=part.metrics[:1]).add_metrics(other)


def test_a_part_belongs_to_one_epoch_and_is_not_worth_an_error(tmp_path, capsys):
    folder, model = Folder(tmp_path), compiled()
    assert checkpoint.find_part(folder, 0) is None
    checkpoint.save_part(folder, model, epoch=0, step=2)
    assert checkpoint.find_part(folder, 0).step == 2
    assert checkpoint.find_part(folder, 1) is None
    damage(folder / "checkpoint_part.npz")
    assert checkpoint.find_part(folder, 0) is None
    assert "the epoch starts again" in capsys.readouterr().out
    checkpoint.save(folder, model, [])
    assert {path.name for path in tmp_path.iterdir()} == {checkpoint.CHECKPOINT}


def test_the_record_is_readable_by_others(two):
    with np.load(two[0] / checkpoint.CHECKPOINT) as archive:
        assert json.loads(archive["record"].tobytes()) == {"history": HISTORY * 2}
