"""A run on disk: what is written is read again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.damage import FEW, damaged, one_line
from tf_mwn.files import FolderConflictError
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs.run import FINISHED, MISSING, OTHER, STARTED, Run
from tf_mwn.settings.config import completed


@pytest.fixture
def run(tmp_path):
    experiment = resolve("quickstart", {"epochs": 2}, ["cross_entropy"], [3])
    return Run.of(experiment, "cross_entropy", 3, tmp_path)


def test_a_folder_tells_its_run(run):
    assert run.state == MISSING and run.recorded is None
    with pytest.raises(ValueError, match="which holds no config.json"):
        Run.finished(run.path)
    run.claim("abc")
    assert run.state == STARTED
    with pytest.raises(ValueError, match="a run that has ended, received .* without results.json"):
        Run.finished(run.path)
    run.write_results({"last_epoch_accuracy": 0.5})
    found = Run.finished(run.path)
    assert (found.recipe, found.method, found.seed) == ("quickstart", "cross_entropy", 3)
    assert completed(vars(found.config)) == completed(vars(run.config))
    assert found.recorded["data"] == "abc"
    assert found.state == FINISHED and found.results == {"last_epoch_accuracy": 0.5}
    assert run.beside("gce") == run.path.parent.parent / "gce" / "seed3"


def test_a_run_of_the_old_fine_tuning_is_another(tmp_path):
    """It had no `held_back`: `claim` refuses its folder, and so does whoever asks for its state."""
    experiment = resolve("quickstart", {}, ["fine_tuning"], [0])
    run = Run.of(experiment, "fine_tuning", 0, tmp_path)
    old = run.identity("abc")
    del old["settings"]["held_back"]
    run.folder.path.mkdir(parents=True)
    run.folder.write_json("config.json", old)
    run.write_results({"last_epoch_accuracy": 0.5})
    assert run.state == OTHER
    with pytest.raises(FolderConflictError, match=r"held_back = 0.0, not 0.2"):
        run.claim("abc")


def test_a_run_on_another_file_of_the_same_name_is_another(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,hyper_q\n1,0.5\n")
    experiment = resolve("quickstart", {"trajectory": str(path)}, ["gce"], [0])
    run = Run.of(experiment, "gce", 0, tmp_path)
    run.claim("abc")
    assert run.state == STARTED
    path.write_text("epoch,hyper_q\n1,0.6\n")
    assert run.state == OTHER
    with pytest.raises(FolderConflictError):
        run.claim("abc")


def test_metrics_are_columns_over_the_epochs(run):
    assert run.metrics() == {}
    run.folder.path.mkdir(parents=True)
    run.write_metrics([{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 0.3, "late": 1.0}])
    metrics = run.metrics()
    assert list(metrics) == ["epoch", "loss", "late"]
    assert metrics["loss"].tolist() == [0.1 + 0.2, 0.3]
    np.testing.assert_array_equal(metrics["late"], [np.nan, 1.0])


def test_weights_keep_ids_exact_and_unknown_columns_empty(run):
    with pytest.raises(ValueError, match="weights.csv, received a run without it"):
        run.weights()
    run.folder.path.mkdir(parents=True)
    ids = np.array([2**53 + 1, 7])
    columns = {"sample_id": ids, "label": ids % 2, "loss": np.float32([0.1, 2])}
    run.write_weights({**columns, "weight": None, "clean_label": None})
    weights = run.weights()
    assert weights["sample_id"].tolist() == ids.tolist()
    assert weights["loss"].astype(np.float32).tolist() == columns["loss"].tolist()
    assert np.isnan(weights["weight"]).all() and np.isnan(weights["clean_label"]).all()


@FEW
@given(data=st.data(), name=st.sampled_from(["config.json", "results.json", "weights.csv"]))
def test_any_folder(tmp_path, data, name):
    """The run that was written, or one line."""
    experiment = resolve("quickstart", {"epochs": 2}, ["cross_entropy"], [3])
    run = Run.of(experiment, "cross_entropy", 3, tmp_path)
    for file in ("config.json", "results.json"):
        (run.folder / file).unlink(missing_ok=True)
    run.claim("abc")
    run.write_results({"last_epoch_accuracy": 0.5})
    columns = {"sample_id": [5, 7], "label": [0, 1], "loss": [0.5, 2.0]}
    run.write_weights({**columns, "weight": None, "clean_label": None, "path": ["a", "b"]})
    path = run.folder / name
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    found = one_line(Run.finished, run.path)
    if found is not None:
        assert found.method == "cross_entropy" or name == "config.json"
        weights = one_line(found.weights)
        if weights is not None:
            assert weights["sample_id"].dtype == np.int64
            assert len({len(column) for column in weights.values()}) == 1


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"recipe": 1}', "[" * 100_000])
def test_a_folder_of_something_else(run, text):
    run.claim("abc")
    (run.folder / "config.json").write_text(text)
    with pytest.raises(ValueError) as caught:
        Run.finished(run.path)
    assert "\n" not in str(caught.value)
