"""Where a cleaned set may be written, what is refused, and the report."""

import dataclasses

import numpy as np
import pytest

from tests.auditing.cleaned_sets import (
    GIVEN,
    NAMES,
    TRUE,
    audited,
    clean,
    image_of,
    save_images,
    save_list,
)
from tf_mwn.auditing.clean_copy import check_destination
from tf_mwn.files import read_columns


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    save_images(root / "folder")
    save_list(root / "list")
    np.savez(root / "a.npz", x=np.eye(60), y=GIVEN)
    (root / "full").mkdir()
    (root / "full" / "notes.txt").touch()
    (root / "link").symlink_to(root / "folder")
    return root


@pytest.fixture(scope="module")
def folder(root):
    return audited(root / "folder")


@pytest.mark.parametrize(
    ("dataset", "destination", "message"),
    [
        ("folder", "folder", "write: expected a path outside .*folder, received"),
        ("folder", "folder/train/new", "write: expected a path outside"),
        ("folder", "link/new", "write: expected a path outside"),
        ("folder", "full", "write: expected a path that does not exist, received .*full"),
        ("folder", "a.npz", "write: expected a path that does not exist"),
        ("list/list.csv", "list/list.csv", "write: expected a path that does not exist"),
        ("list/list.csv", "new", r"write: expected a file that ends in \.csv for dataset"),
        ("a.npz", "a.npz", "write: expected a path that does not exist"),
        ("a.npz", "b.csv", r"write: expected a file that ends in \.npz"),
        ("digits", "new", r"write: expected a file that ends in \.npz or \.csv for dataset digits"),
    ],
)
def test_destinations_that_are_refused(root, folder, dataset, destination, message):
    name = dataset if dataset == "digits" else str(root / dataset)
    config = dataclasses.replace(folder[0].config, dataset=name)
    run = dataclasses.replace(folder[0], config=config)
    with pytest.raises(ValueError, match=message):
        check_destination(run, str(root / destination))
    altered = dataclasses.replace(config, data_noise="gaussian", data_noise_rate=0.1)
    with pytest.raises(ValueError, match="received one with --open_set or --data_noise"):
        check_destination(dataclasses.replace(run, config=altered), str(root / "new"))


def test_a_class_that_would_be_empty(root, folder, tmp_path):
    run, audit = folder
    last = np.flatnonzero(audit.label == 2)
    with pytest.raises(ValueError, match=f"every class to keep .* received none for {NAMES[2]}"):
        clean(run, audit, tmp_path / "new", "drop", drop=last)
    assert not list(tmp_path.iterdir())


def test_a_label_file_leaves_nothing_out(tmp_path):
    run, audit = audited("digits", true=np.zeros(1797, int))
    with pytest.raises(ValueError, match="action: expected weight for a label file.* digits"):
        clean(run, audit, tmp_path / "labels.csv", "drop")
    assert not list(tmp_path.iterdir())


def test_the_report_and_the_changes(folder, tmp_path):
    run, audit = folder
    wrong = audit.suspects
    empty = tmp_path / "empty"
    empty.mkdir()
    report, _ = clean(
        run, audit, empty, "relabel", keep=wrong[:1], drop=wrong[1:3], unsure=wrong[3:4]
    )
    rest = len(wrong) - 3
    assert "60 audited examples 2 are left out" in report and f"{rest} have another" in report
    assert "a person decided on 3" in report and "left out" in report
    columns = read_columns(empty / "changes.csv")
    assert [image_of(path) for path in columns["path"]] == [
        image_of(audit.path[i]) for i in audit.order if i in wrong[1:]
    ]
    assert columns["kept"] == ["no", "no"] + ["yes"] * rest
    assert columns["by"] == ["person", "person"] + ["audit"] * rest
    for path, new_path, label, new in zip(
        *(columns[n] for n in ("path", "new_path", "label", "new_label")), strict=True
    ):
        assert label == NAMES[GIVEN[image_of(path)]]
        if new_path:
            assert new == NAMES[TRUE[image_of(path)]] and f"/{new}/" in new_path
            assert (empty / new_path).samefile(run.config.dataset + "/" + path)
