"""`python -m launch.evaluate`: measures of a finished run, and what it exports."""

import csv
import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings

import tf_mwn
from tests.damage import FEW, damaged, one_line
from tests.data.images.image_fixtures import save, save_folder
from tests.launch.finished_runs import call, mistake, train
from tf_mwn.data.sources import load
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits.biased_data import BiasSettings, prepare
from tf_mwn.launch.evaluate import main
from tf_mwn.runs.evaluate import parts
from tf_mwn.runs.predict import inputs_of

# tf_mwn cannot be imported there; prints the logits of both exports.
LOAD = """
import sys
sys.modules["tf_mwn"] = None
import keras, numpy as np, tensorflow as tf
x = np.load(sys.argv[2] + "/x.npy")
one = keras.models.load_model(sys.argv[1] + "/classifier.keras").predict(x, verbose=0)
saved = tf.saved_model.load(sys.argv[1] + "/saved_model")
two = saved.serve(tf.constant(x, tf.float32)).numpy()
np.savez(sys.argv[2] + "/logits.npz", one, two)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs"))


def test_the_test_set(runs, capsys):
    call(main, f"--run={runs[0]}")
    printed = capsys.readouterr().out
    results = json.loads((runs[0] / "results.json").read_text())
    report = json.loads((runs[0] / "evaluation.json").read_text())
    assert report["accuracy"] == pytest.approx(results["last_epoch_accuracy"])
    assert f"accuracy {report['accuracy']:.4f}" in printed
    with open(runs[0] / "confusion.csv", newline="") as file:
        header, *rows = csv.reader(file)
    matrix = np.array([row[1:] for row in rows], int)
    assert header == ["true class", *map(str, range(10))] and matrix.sum() == report["examples"]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(report["accuracy"])
    np.testing.assert_allclose(report["recall"], np.diag(matrix) / matrix.sum(axis=1))


def test_other_data(runs, tmp_path, capsys):
    digits = load("digits")
    few = {"x": digits.x_test[:200], "y": digits.y_test[:200]}
    np.savez(tmp_path / "digits.npz", **few)
    call(main, f"--run={runs[0]}", f"--dataset={tmp_path / 'digits.npz'}")
    report = json.loads((runs[0] / "evaluation.json").read_text())
    assert report["examples"] == 200 and report["dataset"].endswith("digits.npz")
    np.savez(tmp_path / "small.npz", x=few["x"][:, :4], y=few["y"])
    line = mistake(capsys, main, f"--run={runs[0]}", f"--dataset={tmp_path / 'small.npz'}")
    assert "expected inputs of shape (8, 8, 1), received (4, 8, 1)" in line


def test_exports_load_without_this_package(runs, tmp_path):
    folder = tmp_path / "export"
    call(main, f"--run={runs[0]}", f"--export={folder}")
    x = load("digits").x_test[:50]
    np.save(tmp_path / "x.npy", x)
    subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), str(tmp_path)], check=True, cwd=tmp_path
    )
    with np.load(tmp_path / "logits.npz") as archive:
        one, two = (archive[name] for name in archive.files)
    from tf_mwn.runs.finished_run import FinishedRun

    run = FinishedRun.load(runs[0])
    wanted = np.asarray(run.classifier(run.preprocess(x)))
    np.testing.assert_allclose(one, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(two, wanted, rtol=1e-4, atol=1e-4)
    assert json.loads((folder / "classes.json").read_text()) == [str(i) for i in range(10)]


def test_the_weight_net_is_the_one_that_weighed(runs, tmp_path):
    call(main, f"--run={runs[0]}", f"--export={tmp_path}")
    weight_net = tf_mwn.load_weight_net(tmp_path / "weight_net.json")
    with open(runs[0] / "weights.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    losses, weights = (np.array([float(r[key]) for r in rows]) for key in ("loss", "weight"))
    np.testing.assert_allclose(weight_net(losses.astype("float32")), weights, rtol=1e-5)


def test_a_method_without_weight_net(runs, tmp_path):
    call(main, f"--run={runs[1]}", f"--export={tmp_path}")
    assert (tmp_path / "classifier.keras").exists()
    assert not (tmp_path / "weight_net.json").exists()


def test_a_network_made_from_the_users_own(tmp_path):
    network = "tests.networks.own_models:functional"
    (folder,) = train(tmp_path, ["architecture_gate"], network=network, epochs=1)
    call(main, f"--run={folder}", f"--export={tmp_path / 'export'}")
    report = json.loads((folder / "evaluation.json").read_text())
    results = json.loads((folder / "results.json").read_text())
    assert report["accuracy"] == pytest.approx(results["last_epoch_accuracy"])
    assert (tmp_path / "export" / "classifier.keras").exists()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A run on a table of tiny features, with ids of a database, by a method that remembers."""
    root = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = 1e-12 * (3 * np.eye(4)[y] + 0.5 * rng.normal(size=(300, 4)))
    ids = 1_700_000_000_000_000_000 + 7 * np.arange(300)
    names = np.array(["ant", "bee", "cat"])
    np.savez(root / "a.npz", x=x, y=y, sample_id=ids, class_names=names)
    given = {"dataset": str(root / "a.npz"), "meta_size": 0, "train_size": None}
    (folder,) = train(root, ["prediction_variance"], **given, batch_size=40)
    return folder, x, y, ids


def test_an_export_answers_as_the_run_at_any_scale(own, tmp_path):
    folder, x, y, _ = own
    call(main, f"--run={folder}", f"--export={tmp_path}")
    report = json.loads((folder / "evaluation.json").read_text())
    model = keras.models.load_model(tmp_path / "classifier.keras")
    assert report["accuracy"] > 0.9
    assert (model.predict(x, verbose=0).argmax(axis=1) == y).mean() > 0.9
    from tf_mwn.runs.finished_run import FinishedRun

    run = FinishedRun.load(folder)
    np.testing.assert_allclose(
        model.predict(run.data.test.x, verbose=0), run.logits(run.data.test), rtol=1e-3, atol=1e-3
    )


def test_ids_are_those_of_the_user_and_take_no_memory(own):
    folder, _, _, ids = own
    with open(folder / "weights.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["sample_id"]) for row in rows} < set(ids.tolist())
    assert all(row["class_name"] == ("ant", "bee", "cat")[int(row["label"])] for row in rows)


@pytest.mark.parametrize("classes", [[1], [0, 2], [2]])
def test_data_that_lack_classes(own, tmp_path, classes):
    folder, x, y, _ = own
    kept = np.isin(y, classes)
    names = np.array(["ant", "bee", "cat"])
    alone = {"class_names": names[classes], "y": np.searchsorted(classes, y[kept])}
    for arrays in ({"y": y[kept]}, alone):  # by number, and by name
        np.savez(tmp_path / "some.npz", x=x[kept], **arrays)
        call(main, f"--run={folder}", f"--dataset={tmp_path / 'some.npz'}")
        report = json.loads((folder / "evaluation.json").read_text())
        assert report["examples"] == kept.sum() and report["accuracy"] > 0.9
        present = [recall is not None for recall in report["recall"]]
        assert present == [k in classes for k in range(3)]


def test_a_class_that_the_run_does_not_know(own, tmp_path, capsys):
    folder, x, y, _ = own
    for arrays, received in (({"y": y + 1}, "3"), ({"y": 0 * y, "class_names": ["owl"]}, "owl")):
        np.savez(tmp_path / "new.npz", x=x, **arrays)
        line = mistake(capsys, main, f"--run={folder}", f"--dataset={tmp_path / 'new.npz'}")
        assert f"among those of the run, ant, bee, cat, received {received}\n" in line


def test_grey_images_for_a_run_in_colour(tmp_path):
    """A grey folder, and a single class of it; colour for a run in grey."""
    images = np.zeros((24, 12, 12, 3), np.uint8)
    images[np.arange(24), np.arange(24) % 12, :] = 100 + np.arange(24)[:, None, None]
    for name, channels in (("colour", [0, 1, 2]), ("grey", [0])):
        save_folder(tmp_path / name, images[..., channels], classes=("ant", "bee"))
    save(tmp_path / "colour" / "ant" / "red.png", np.full((12, 12, 3), (9, 200, 30), np.uint8))
    for name, other in (("colour", "grey"), ("grey", "colour")):
        changes = {"dataset": str(tmp_path / name), "network": "small_cnn", "epochs": 1}
        more = {"batch_size": 8, "train_size": None, "meta_size": 4}
        (folder,) = train(tmp_path / f"runs_{name}", ["cross_entropy"], **changes, **more)
        for dataset in (tmp_path / other, tmp_path / other):
            call(main, f"--run={folder}", f"--dataset={dataset}")
        report = json.loads((folder / "evaluation.json").read_text())
        assert report["examples"] == 24 + (other == "colour")


def test_any_classifier_file(own):
    """A run whose .keras is damaged is evaluated as it was, or refused in one line."""
    from tf_mwn.runs.finished_run import FinishedRun

    folder = own[0]
    path = folder / "classifier.keras"
    whole = path.read_bytes()
    wanted = FinishedRun.load(folder)
    logits = wanted.logits(wanted.data.test)

    @settings(FEW, max_examples=12)
    @given(content=damaged(whole))
    def run(content):
        path.write_bytes(content)
        found = one_line(FinishedRun.load, folder)
        if found is not None:
            np.testing.assert_array_equal(found.logits(found.data.test), logits)

    try:
        run()
    finally:
        path.write_bytes(whole)


def test_an_export_never_replaces_a_run(runs, tmp_path, capsys):
    before = (runs[0] / "classifier.keras").read_bytes()
    line = mistake(capsys, main, f"--run={runs[0]}", f"--export={runs[0]}")
    assert "export: expected another folder than that of a run, received" in line
    assert (runs[0] / "classifier.keras").read_bytes() == before
    (tmp_path / "file").touch()
    line = mistake(capsys, main, f"--run={runs[0]}", f"--export={tmp_path / 'file'}")
    assert "export: expected a folder, received the file" in line


def _run(source, **config):
    """What `parts` takes of a finished run: its data and settings."""
    known = {"dataset": source.name, "image_size": None, "label_column": None, **config}
    return SimpleNamespace(
        data=prepare(source, BiasSettings(meta_size=6), 0), config=SimpleNamespace(**known)
    )


@pytest.mark.parametrize(
    ("names", "numbers", "classes"),
    [
        (None, [2, 0, 1], [2, 0, 1]),
        (None, [2, 1], [2, 1]),
        (["a", "b", "c"], [2, 0, 1], [2, 0, 1]),
        (["a", "b", "c"], [2, 1], [2, 1]),
        (["1", "02", "3"], [3, 1, 2], [2, 0, 1]),
        (["1", "02", "3"], [1, 2], [0, 1]),
        (["1", "02", "3"], [0, 1, 2], "1, 02, 3, received 0$"),
        (["1", "02", "3"], [0], "received 0$"),
        (["1", "2", "other"], [2, 1], [1, 0]),
        (["1", "2", "other"], [0, 1, 2], "received 0$"),
        (["a", "b", "c"], [3, 1], "a, b, c, received 3$"),
    ],
)
def test_what_a_number_calls_does_not_depend_on_the_others(tmp_path, names, numbers, classes):
    x = np.arange(60.0).reshape(30, 2)
    run = _run(build_source(RawSource("own", x, np.arange(30) % 3, class_names=names)))
    np.savez(tmp_path / "new.npz", x=x[: len(numbers)], y=numbers)
    if isinstance(classes, str):
        with pytest.raises(ValueError, match=f"^dataset: expected classes among .*{classes}"):
            parts(run, str(tmp_path / "new.npz"))
    else:
        ((found,), _) = parts(run, str(tmp_path / "new.npz"))
        np.testing.assert_array_equal(found.label, classes)


def test_sequences_of_another_length(tmp_path):
    tokens, y = np.arange(90).reshape(30, 3) + 1, np.arange(30) % 3
    run = _run(build_source(RawSource("own", np.float32(tokens), y, is_tokens=True)))
    np.savez(tmp_path / "short.npz", tokens=tokens[:, :2], y=y)
    ((found,), _) = parts(run, str(tmp_path / "short.npz"))
    np.testing.assert_array_equal(found.x, np.pad(tokens[:, :2], ((0, 0), (0, 1))))
    (inputs,) = inputs_of(run, [str(tmp_path / "short.npz")])
    np.testing.assert_array_equal(inputs.x, found.x)
    np.savez(tmp_path / "long.npz", tokens=tokens[:, [0, 1, 2, 2]], y=y)
    message = "^dataset: expected sequences of at most 3 tokens, .*, received one of 4$"
    with pytest.raises(ValueError, match=message):
        parts(run, str(tmp_path / "long.npz"))


def test_images_of_another_scale_are_refused(tmp_path):
    x, y = np.arange(480).reshape(30, 4, 4, 1) // 2, np.arange(30) % 3
    run = _run(build_source(RawSource("own", x.astype(np.uint8), y)))
    np.savez(tmp_path / "unit.npz", x=x / 239, y=y)
    message = r"^dataset: .* the scale of the run's own, .* \[0, \d+\], received .* \[0, 1\]$"
    with pytest.raises(ValueError, match=message):
        parts(run, str(tmp_path / "unit.npz"))
