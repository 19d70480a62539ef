"""The study of learned hyper-parameters: four ways, on runs of two epochs."""

import csv
import json

import pytest
import tensorflow as tf

import tf_mwn
from tf_mwn.search.study import Study
from tf_mwn.search.study_plan import StudyPlan

SHORT = {"network": "mlp", "epochs": 2, "train_size": 300}
OVERRIDES = {**SHORT, "meta_learning_rate": 1e-12, "gce_q": 0.6}
SPACE = ["gce_q=0.2|0.6"]


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """The rows of a study whose meta optimizer does not move, and where it was written."""
    workdir = tmp_path_factory.mktemp("study")
    plan = StudyPlan.make("quickstart", OVERRIDES, "adaptive_gce", [0], SPACE)
    study = Study.prepare(plan, tf.distribute.get_strategy(), str(workdir))
    return study.execute(), workdir


def test_without_meta_updates_all_ways_are_the_fixed_loss(studied):
    rows, _ = studied
    _, fixed, replayed, joint = (row.results[0]["last_epoch_accuracy"] for row in rows)
    assert fixed == replayed == joint


def test_costs_count_what_was_trained_to_find_the_values(studied):
    rows, _ = studied
    # Two values searched; a meta step is 3 + 4 + 3 passes of a batch instead of 3.
    assert [round(row.cost, 6) for row in rows] == pytest.approx([2, 13 / 3, 13 / 3, 10 / 3])


def test_is_written_with_its_figure(studied):
    rows, workdir = studied
    (folder,) = workdir.glob("*/study-adaptive_gce-*")
    plan = StudyPlan.make("quickstart", OVERRIDES, "adaptive_gce", [0], SPACE)
    assert folder == workdir / plan.folder
    written = json.loads((folder / "study.json").read_text())
    assert [row["name"] for row in written["rows"]] == [row.name for row in rows]
    assert written["version"] == tf_mwn.__version__ and written["seeds"] == [0]
    assert written["changed"]["gce_q"] == 0.6 and written["method"] == "adaptive_gce"
    assert (folder / "study.png").stat().st_size > 1000


def test_the_adaptive_run_leaves_its_trajectory(studied):
    _, workdir = studied
    (figure,) = workdir.rglob("adaptive_gce/seed0/hyper_parameters.png")
    assert figure.read_bytes().startswith(b"\x89PNG")
    with open(figure.parent / "metrics.csv") as file:
        assert [float(row["hyper_q"]) for row in csv.DictReader(file)] == pytest.approx([0.6, 0.6])


def test_only_adaptive_methods_are_studied():
    with pytest.raises(ValueError, match="method: expected one of adaptive_gce.*received gce"):
        StudyPlan.make("quickstart", {}, "gce", [0])


def test_a_last_phase_is_refused():
    with pytest.raises(ValueError, match="fine_tuning_epochs: expected 0 in a study"):
        StudyPlan.make("quickstart", {"fine_tuning_epochs": 2}, "adaptive_gce", [0])
