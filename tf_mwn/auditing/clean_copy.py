"""Writes the data set of an audited run anew, with the labels that the audit leads to."""

import collections
import dataclasses
import os
import secrets
import shutil
from pathlib import Path

import numpy as np

from tf_mwn.auditing import checked, layouts
from tf_mwn.auditing.cleaning import PERSON, Outcome
from tf_mwn.data.bias.label_file import read_labels
from tf_mwn.data.sources.clothing1m import is_clothing1m
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.naming import CSV, FOLDER, NPZ, kind_of
from tf_mwn.files import Folder, write_csv
from tf_mwn.runs import datasets
from tf_mwn.runs.run import Run
from tf_mwn.tables import text_table

CHANGES = "changes.csv"
_LABELS = "labels"  # the layout of a set that has a name
_SUFFIXES = {NPZ: (".npz",), CSV: (".csv",), _LABELS: (".npz", ".csv")}
_MOST = 20  # confusions that the report lists


def layout(run: Run, is_clean_set: bool = False) -> str:
    """In which layout the data set of a run is written.

    A clean set of data that have a name becomes an .npz file: a file of labels has no inputs.
    """
    dataset = run.config.dataset
    kind = kind_of(dataset)
    if (kind == FOLDER and is_clothing1m(dataset)) or kind not in (FOLDER, CSV, NPZ):
        return NPZ if is_clean_set else _LABELS
    return kind


def check_destination(run: Run, destination: str, is_clean_set: bool = False) -> None:
    """Checks, before any work, that the data set of a run can be written there.

    Raises:
        ValueError: the path exists, lies in the data set, or has not the suffix of its layout; or
            the run had its inputs altered.
    """
    kind, dataset, place = layout(run, is_clean_set), run.config.dataset, Path(destination)
    if run.config.open_set is not None or run.config.data_noise != "none":
        raise ValueError(
            "write: expected a run on the inputs of its data set, received one with --open_set or "
            "--data_noise"
        )
    suffixes = _SUFFIXES.get(kind)
    if suffixes and place.suffix.lower() not in suffixes:
        what = f"a file that ends in {' or '.join(suffixes)}"
        raise ValueError(f"write: expected {what} for dataset {dataset}, received {destination}")
    inside = Path(os.path.realpath(place)).is_relative_to(os.path.realpath(dataset))
    if inside and os.path.isdir(dataset):
        raise ValueError(f"write: expected a path outside {dataset}, received {destination}")
    empty_folder = kind == FOLDER and place.is_dir() and not any(place.iterdir())
    for path in (place, _changes_path(kind, place)):
        if os.path.lexists(path) and not empty_folder:
            raise ValueError(f"write: expected a path that does not exist, received {path}")


def write(
    run: Run, audit, outcome: Outcome, destination: str, location: DataLocation = DEFAULT_LOCATION
) -> tuple[str, list[Path]]:
    """Writes the data set of a run with new labels; what it was made of is not touched.

    A folder becomes a folder, a CSV list a list, an .npz file an .npz file. Of a set that has a
    name, the labels are written for `--label_file`. Of a clean set only the checked examples are
    written, for `--meta`: in the same layout, or as .npz. changes.csv, in the folder or beside the
    file, lists every example that has another label, is left out, or counts less than half.

    Returns:
        A report of what changed, and the paths written.

    Raises:
        ValueError: see `check_destination`; a class would lose its last example; or examples are
            left out of a label file.
        OSError: the destination cannot be written.
    """
    is_clean_set = outcome.is_clean_set
    check_destination(run, destination, is_clean_set)
    kind, place, new_path = layout(run, is_clean_set), Path(destination), audit.path
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == FOLDER:
        new_path = _write_folder(run, audit, outcome, place)
    else:
        with Folder(place.parent).replacing(place.name) as path:
            _write_file(kind, run, audit, outcome, path, place.parent, location)
    changes = _changes_path(kind, place)
    _write_changes(changes, audit, outcome, new_path)
    return report(audit, outcome), [place, changes]


def _changes_path(kind: str, place: Path) -> Path:
    return place / CHANGES if kind == FOLDER else place.with_name(f"{place.stem}_{CHANGES}")


def _write_folder(run: Run, audit, outcome: Outcome, place: Path) -> np.ndarray:
    """Writes the folder under another name first, so that it is there as a whole or not at all."""
    temporary = place.with_name(f".writing-{secrets.token_hex(4)}-{place.name}")
    temporary.mkdir()
    try:
        dataset = run.config.dataset
        arguments = dataset, temporary, outcome, audit.path, audit.class_names
        if outcome.is_clean_set:
            new = checked.write_folder(*arguments, _clean_so_far(run, FOLDER))
        else:
            new = layouts.write_folder(*arguments)
        os.replace(temporary, place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return np.array(new, object)


def _write_file(kind, run, audit, outcome, path, folder, location) -> None:
    dataset, names = run.config.dataset, audit.class_names
    if outcome.is_clean_set:
        _write_checked(kind, run, audit, outcome, path, folder, location)
    elif kind == CSV:
        layouts.write_list(dataset, path, folder, outcome, names, run.config.label_column)
    elif kind == NPZ:
        layouts.write_npz(dataset, path, outcome)
    else:
        left_out = int((~outcome.kept).sum())
        if left_out:
            raise ValueError(
                "action: expected weight for a label file, which lists every example (a dropped "
                f"one with weight 0), received {left_out} examples to leave out of {dataset}"
            )
        source, _ = datasets.load_sources(run.config, location)
        labels = source.y if source.y_given is None else source.y_given
        if run.config.label_file is not None:
            labels = read_labels(run.config.label_file, source)
        layouts.write_label_file(path, outcome, source, labels, names)


def _write_checked(kind, run, audit, outcome, path, folder, location) -> None:
    config, names = run.config, audit.class_names
    if kind == CSV:
        before = _clean_so_far(run, CSV)
        column = config.label_column
        checked.write_rows(config.dataset, path, folder, outcome, names, column, before)
        return
    raw = datasets.read_dataset(config, location)
    alone = dataclasses.replace(raw, x_meta=None, y_meta=None)  # its own stay where they are
    before = datasets.with_clean_examples(config, alone, location)
    checked.write_npz(path, outcome, audit.x, names, before)


def _clean_so_far(run, kind: str) -> str | None:
    """The path of the clean set of a run.

    Raises:
        ValueError: it has another layout than the data, so that both cannot become one.
    """
    path = run.config.meta
    if path is not None and kind_of(path) != kind:
        what = {FOLDER: "a folder", CSV: "a CSV file"}[kind]
        raise ValueError(
            f"write: expected {what} as clean set of the run to add to, received {path}"
        )
    return path


def _write_changes(path: Path, audit, outcome: Outcome, new_path: np.ndarray | None) -> None:
    """Writes the changed examples, the most suspect first."""
    header = "sample_id path label new_label kept weight by trust new_path".split()
    names, rows = audit.class_names, []
    for i in audit.order[outcome.changed[audit.order]]:
        kept, weight = bool(outcome.kept[i]), outcome.weight
        rows.append(
            [
                audit.sample_id[i],
                None if audit.path is None else audit.path[i],
                names[outcome.given[i]],
                names[outcome.label[i]],
                "yes" if kept else "no",
                None if weight is None else weight[i],
                outcome.by[i],
                audit.trust[i],
                new_path[i] if kept and new_path is not None else None,
            ]
        )
    write_csv(path, header, rows)


def report(audit, outcome: Outcome) -> str:
    """What changed, with the counts of the commonest confusions."""
    relabelled = outcome.kept & (outcome.label != outcome.given)
    dropped = np.zeros_like(outcome.kept) if outcome.is_clean_set else ~outcome.kept
    lines = [_counts(outcome, dropped, relabelled)]
    if audit.suggested is None:
        lines.insert(0, "the classifier is too weak to judge: only the decisions were applied")
    elif audit.reliability is None and not outcome.is_clean_set:
        lines.insert(0, "it is unknown how many of these are right: there are no clean examples")
    if outcome.weight is not None:
        low = int((outcome.weight < 0.5).sum())
        lines.append(f"the mean weight is {outcome.weight.mean():.3f}; {low} weights are below 0.5")
    names = audit.class_names
    pairs = [(names[outcome.given[i]], "left out") for i in np.flatnonzero(dropped)]
    pairs += [
        (names[outcome.given[i]], names[outcome.label[i]]) for i in np.flatnonzero(relabelled)
    ]
    counts = collections.Counter(pairs).most_common(_MOST)
    if counts:
        rows = [[given, new, str(count)] for (given, new), count in counts]
        lines.append(text_table(["label", "becomes", "examples"], rows, left=(0, 1)))
    return "\n".join(lines)


def _counts(outcome: Outcome, dropped: np.ndarray, relabelled: np.ndarray) -> str:
    if outcome.is_clean_set:
        size, changed = int(outcome.kept.sum()), int(relabelled.sum())
        return f"the clean set has {size} examples; {changed} of them got another label"
    return (
        f"of {len(outcome.label)} audited examples {int(dropped.sum())} are left out and "
        f"{int(relabelled.sum())} have another label; a person decided on "
        f"{int((outcome.by == PERSON).sum())}"
    )
