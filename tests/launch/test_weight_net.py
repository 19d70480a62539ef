"""A weight net that was learned on one data set, taken to another by the launcher."""

import json

import keras
import numpy as np
import pytest

import tf_mwn
from tests.launch.finished_runs import call, mistake, train
from tests.models import batch, mlp
from tf_mwn.launch import main as launch_main
from tf_mwn.methods import registry
from tf_mwn.settings.config import Config

QUICK = ("--nodeterministic", "--network=mlp", "--epochs=2", "--batch_size=50")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The file that a run on the digits leaves."""
    (folder,) = train(tmp_path_factory.mktemp("digits"), ["meta_weight_net"])
    return folder / "weight_net.json"


def other_set(folder):
    """A set of other inputs and another number of classes."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 4
    np.savez(folder / "other.npz", x=rng.normal(size=(400, 6)) + 2 * np.eye(4, 6)[y], y=y)
    return f"--dataset={folder / 'other.npz'}"


def test_moves_to_another_set_and_stays_as_it_is(learned, tmp_path, capsys):
    file = tmp_path / "moved.json"
    file.write_bytes(learned.read_bytes())
    arguments = (
        f"--workdir={tmp_path / 'runs'}", other_set(tmp_path), *QUICK, f"--weight_net={file}",
        "--method=meta_weight_net", "--noise=flip2", "--noise_rate=0.3", "--meta_size=8",
    )  # fmt: skip
    call(launch_main.main, *arguments)
    assert "meta loss" not in capsys.readouterr().out
    (folder,) = (tmp_path / "runs").glob("*/meta_weight_net/seed0")
    results = json.loads((folder / "results.json").read_text())
    assert results["noise_auc"] is not None and not (folder / "weight_net.json").exists()
    net = tf_mwn.load_weight_net(learned)
    table = np.genfromtxt(folder / "weights.csv", delimiter=",", names=True)
    np.testing.assert_allclose(table["weight"], net(table["loss"].astype("float32")), rtol=1e-5)
    # Another net under the same name is another run.
    tf_mwn.save_weight_net(tf_mwn.WeightNet((3,)), file)
    assert "holds a run with files.weight_net" in mistake(capsys, launch_main.main, *arguments)


def test_what_is_no_weight_net_is_refused(learned, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, net = other_set(tmp_path), "--method=meta_weight_net"
    for arguments, message in (
        ([net, "--weight_net=missing.json"], "missing.json: No such file"),
        ([net, "--weight_net=other.npz"], "other.npz: expected JSON of save_weight_net"),
        (
            [net, f"--weight_net={learned}", "--meta_interval=5"],
            "meta_weight_net with --weight_net",
        ),
        ([f"--weight_net={learned}", "--method=cross_entropy"], "no effect on cross_entropy"),
    ):
        assert message in mistake(capsys, launch_main.main, data, *QUICK, *arguments)
    assert not (tmp_path / "runs").exists()


def test_frozen_use_is_training_with_these_weights(learned):
    """Three steps are those of Keras with V of the losses before each as sample weights."""
    settings = {**vars(Config()), "weight_net": str(learned)}
    ours, theirs = mlp(), mlp()
    theirs.set_weights(ours.get_weights())
    model = registry.build(registry.find("meta_weight_net"), ours, settings)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
    theirs.compile(
        keras.optimizers.SGD(0.5, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    net = tf_mwn.load_weight_net(learned)
    x, y = batch([(5,)], 12, 0)
    data = tf_mwn.paired_dataset(x, y, None, None, batch_size=12)
    for _ in range(3):
        losses = keras.losses.sparse_categorical_crossentropy(y, theirs(x), from_logits=True)
        weights = np.asarray(net(losses))
        # The recipe's V divides by the sum of the weights, Keras by their number.
        assert net.normalization == "sum"
        theirs.train_on_batch(x, y, sample_weight=weights * len(y) / weights.sum())
        model.fit(data, verbose=0)
    for one, two in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    for one, two in zip(model.training_objective.variables, net.variables, strict=True):
        np.testing.assert_array_equal(one, two)
