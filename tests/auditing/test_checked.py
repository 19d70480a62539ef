"""A clean set of what a person checked, in each layout, read back as `--meta` reads it."""

import csv
import dataclasses

import numpy as np
import pytest

from tests.auditing.cleaned_sets import (
    GIVEN,
    IMAGES,
    NAMES,
    audited,
    clean,
    image_of,
    save_images,
    save_list,
)
from tf_mwn.data.sources.clean_set import with_clean_set
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DEFAULT_LOCATION
from tf_mwn.data.sources.source import build_source

KEPT, RELABELLED, DROPPED = [0, 5, 9], [1, 7], [2, 3]


def table(folder):
    with open(folder / "table.csv", "w", newline="") as file:
        rows = ([i, i * i, NAMES[k], "train"] for i, k in enumerate(GIVEN))
        csv.writer(file).writerows([["a", "b", "kind", "split"], *rows])
    return folder / "table.csv"


def archive(folder, name="x", **more):
    x = IMAGES if name == "x" else 1 + np.arange(120).reshape(60, 2)
    np.savez(folder / "a.npz", **{name: x, "y": GIVEN, "class_names": NAMES, **more})
    return folder / "a.npz"


KINDS = {
    "folder": lambda root: save_images(root / "photos"),
    "list": save_list,
    "table": table,
    "npz": archive,
    "tokens": lambda root: archive(root, "tokens"),
    "ids": lambda root: archive(root, sample_id=7_000_000_000 + np.arange(60)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_checked_reads_back_as_the_clean_examples(tmp_path, kind):
    column = {"label_column": "kind"} if kind == "table" else {}
    source = KINDS[kind](tmp_path)
    by_id = None
    if kind not in ("folder", "list"):
        raw = read(str(source), **column)
        ids = np.arange(60) if raw.sample_id is None else raw.sample_id
        by_id = dict(zip(ids.tolist(), [0] * 60, strict=True))
    run, audit = audited(source, **({} if by_id is None else {"true": by_id}), **column)
    new = (audit.label[RELABELLED] + 1) % 3
    place = tmp_path / "new" / {"folder": "set", "npz": "c.npz", "ids": "c.npz"}.get(kind, "c.csv")
    place = place.with_suffix(".npz") if kind == "tokens" else place
    report, _ = clean(
        run, audit, place, "clean_set", keep=KEPT, relabel=(RELABELLED, new), drop=DROPPED
    )
    assert "the clean set has 5 examples; 2 of them got another label" in report
    right = {**{i: audit.label[i] for i in KEPT}, **dict(zip(RELABELLED, new, strict=True))}

    def text(x):
        return np.asarray(x).tobytes()

    expected = {text(audit.x[i]): NAMES[k] for i, k in right.items()}
    joined = with_clean_set(read(str(source), **column), str(place), DEFAULT_LOCATION, "kind")
    whole = build_source(joined)
    pairs = zip(whole.meta_pool.x, whole.meta_pool.label, strict=True)
    found = {text(x): whole.class_names[k] for x, k in pairs}
    assert found == expected
    assert not {text(x) for x in (*whole.x, *whole.x_test)} & set(found)
    if kind == "folder":
        assert sorted(image_of(p) for p in place.rglob("*.png")) == sorted(
            image_of(audit.path[i]) for i in right
        )


def test_of_a_set_that_has_a_name(tmp_path):
    by_id = dict.fromkeys(range(1797), 0)
    run, audit = audited("digits", true=by_id)
    clean(run, audit, tmp_path / "c.npz", "clean_set", keep=KEPT, drop=DROPPED)
    joined = with_clean_set(read("digits"), str(tmp_path / "c.npz"), DEFAULT_LOCATION)
    np.testing.assert_array_equal(joined.x_meta, np.asarray(audit.x[KEPT]))
    np.testing.assert_array_equal(joined.y_meta, audit.label[KEPT])


def test_a_table_is_cleaned_in_its_columns(tmp_path):
    source = table(tmp_path)
    run, audit = audited(source, true=dict.fromkeys(range(60), 0), label_column="kind")
    for action in ("relabel", "weight"):
        clean(run, audit, tmp_path / f"{action}.csv", action)
        raw = read(str(tmp_path / f"{action}.csv"), label_column="kind")
        np.testing.assert_array_equal(raw.x, read(str(source), label_column="kind").x)
    with open(tmp_path / "relabel.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {rows[i]["kind"] for i in audit.sample_id} == {NAMES[0]}
    with open(tmp_path / "weight.csv", newline="") as file:
        weights = [float(row["sample_weight"]) for row in csv.DictReader(file)]
    assert min(weights) < 0.5 < max(weights) == 1


@pytest.mark.parametrize("kind", ["folder", "list", "table"])
def test_a_second_round_adds_to_the_first(tmp_path, kind):
    column = {"label_column": "kind"} if kind == "table" else {}
    known = {"true": dict.fromkeys(range(60), 0)} if kind == "table" else {}
    source = KINDS[kind](tmp_path)
    places = [tmp_path / kind / (n if kind == "folder" else f"{n}.csv") for n in "ab"]
    run, audit = audited(source, **known, **column)
    clean(run, audit, places[0], "clean_set", keep=KEPT)
    again = dataclasses.replace(run, config=dataclasses.replace(run.config, meta=str(places[0])))
    clean(again, audit, places[1], "clean_set", keep=RELABELLED)
    found = with_clean_set(read(str(source), **column), str(places[1]), DEFAULT_LOCATION, "kind")
    expected = {audit.x[i].tobytes(): NAMES[audit.label[i]] for i in KEPT + RELABELLED}
    pairs = zip(found.x_meta, found.y_meta, strict=True)
    names = found.class_names
    assert {np.asarray(x, audit.x.dtype).tobytes(): names[k] for x, k in pairs} == expected
    assert len(found.y_meta) == 5
    other = tmp_path / "other.npz"
    np.savez(other, x=IMAGES[:3], y=[0, 1, 2])
    again = dataclasses.replace(run, config=dataclasses.replace(run.config, meta=str(other)))
    with pytest.raises(ValueError, match="write: expected .* as clean set of the run to add to"):
        clean(
            again, audit, tmp_path / ("c" if kind == "folder" else "c.csv"), "clean_set", keep=[1]
        )


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ({}, "action: expected decisions with clean_set, received none"),
        ({"drop": DROPPED}, "decisions: expected an example that is kept or relabelled"),
    ],
)
def test_a_clean_set_of_nothing(tmp_path, decisions, message):
    run, audit = audited(archive(tmp_path), true=dict.fromkeys(range(60), 0))
    with pytest.raises(ValueError, match=message):
        clean(run, audit, tmp_path / "c.npz", "clean_set", **decisions)


@pytest.mark.parametrize("kind", ["npz", "digits"])
def test_a_second_round_of_arrays_adds_to_the_first_but_not_to_those_of_the_data(tmp_path, kind):
    """Clean examples of the data's own are clean examples of the next run anyway."""
    more = {"x_meta": 255 - IMAGES[:2], "y_meta": [0, 1]}
    source = "digits" if kind == "digits" else archive(tmp_path, **more)
    run, audit = audited(source, true=dict.fromkeys(range(1797), 0))
    clean(run, audit, tmp_path / "one.npz", "clean_set", keep=KEPT)
    again = dataclasses.replace(
        run, config=dataclasses.replace(run.config, meta=str(tmp_path / "one.npz"))
    )
    clean(again, audit, tmp_path / "two.npz", "clean_set", keep=RELABELLED)
    with np.load(tmp_path / "two.npz") as found:
        np.testing.assert_array_equal(found["x"], np.asarray(audit.x[KEPT + RELABELLED]))
        np.testing.assert_array_equal(found["y"], audit.label[KEPT + RELABELLED])
    joined = with_clean_set(read(str(source)), str(tmp_path / "two.npz"), DEFAULT_LOCATION)
    whole = build_source(joined)
    own = 2 if kind == "npz" else 0
    assert len(whole.meta_pool) == own + 5
    held = {np.asarray(x, audit.x.dtype).tobytes() for x in (*whole.x, *whole.x_test)}
    assert not held & {np.asarray(audit.x[i]).tobytes() for i in KEPT + RELABELLED}


def test_rows_are_written_with_their_true_labels(tmp_path):
    """Of a clean set so far that also has the labels it was given."""
    source = table(tmp_path)
    (tmp_path / "so_far.csv").write_text("a,b,kind,clean_label\n100,1,x,y\n")
    run, audit = audited(source, true=dict.fromkeys(range(60), 0), label_column="kind")
    config = dataclasses.replace(run.config, meta=str(tmp_path / "so_far.csv"))
    clean(dataclasses.replace(run, config=config), audit, tmp_path / "c.csv", "clean_set", keep=[0])
    with open(tmp_path / "c.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["a"], row["kind"]) for row in rows][0] == ("100", "y") and len(rows) == 2
