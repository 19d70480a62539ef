"""Writes an audit to suspects.csv, audit.json, audit.html and contact_sheet.png, and as text."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.auditing.page import PAGE, page
from tf_mwn.auditing.reliability import Reliability
from tf_mwn.auditing.thumbnails import are_images
from tf_mwn.files import Folder
from tf_mwn.tables import number, text_table

SUSPECTS, REPORT, SHEET = "suspects.csv", "audit.json", "contact_sheet.png"
# The columns that suspects.csv repeats with the names of the classes.
_NAMED = ("label", "predicted", "suggested")
_LISTED = 5  # classes that a message names


def write(audit, folder: str | Path, images: int, title: str) -> list[Path]:
    """See `Audit.write`."""
    sheet = _contact_sheet(audit, images) if images and are_images(audit.x) else None
    folder = Folder(folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    _write_suspects(audit, folder)
    folder.write_json(REPORT, report(audit))
    first, suspects = believed(audit), _suspects(audit)
    with folder.replacing(PAGE) as path:
        path.write_text(page(audit, title, first, suspects), "utf-8", "replace")
    written = [folder / SUSPECTS, folder / REPORT, folder / PAGE]
    if sheet is not None:
        with folder.replacing(SHEET) as path:
            path.write_bytes(sheet)
        written.append(folder / SHEET)
    return written


def _write_suspects(audit, folder: Folder) -> None:
    """Writes every example, the most suspect first. Unknown weights and clean labels are empty."""
    names = np.array(audit.class_names, object)
    columns = {
        "sample_id": audit.sample_id,
        "label": audit.label,
        "predicted": audit.predicted,
        "suggested": audit.suggested,
        "loss": audit.loss,
        "weight": _known(audit.weight),
        "trust": audit.trust,
        "clean_label": audit.clean_label,
        **{f"{name}_name": _named(names, getattr(audit, name)) for name in _NAMED},
        "path": audit.path,
        "part": None if audit.held_out is None else np.where(audit.held_out, "test", "train"),
    }
    ranked = {n: None if c is None else c[audit.order] for n, c in columns.items()}
    folder.write_columns(SUSPECTS, ranked)


def _known(weight: np.ndarray | None) -> np.ndarray | None:
    """The weights [N] with None for those that are not known."""
    if weight is None or not np.isnan(weight).any():
        return weight
    return np.where(np.isnan(weight), None, weight)


def _named(names: np.ndarray, classes: np.ndarray | None) -> np.ndarray | None:
    """The names [N] of classes [N]; None if no class is suggested."""
    return None if classes is None else names[classes]


def report(audit) -> dict[str, Any]:
    """The content of audit.json: results for the whole set."""
    return {
        "examples": len(audit.label),
        "held_out": 0 if audit.held_out is None else int(audit.held_out.sum()),
        "suspects": len(audit.suspects),
        "noise_rate": audit.noise_rate,
        "class_names": list(audit.class_names),
        "class_noise": audit.class_noise.tolist(),
        "transition_matrix": audit.transition_matrix.tolist(),
        "transition_matrix_from": audit.matrix_from,
        "reliability": None if audit.reliability is None else _reliability(audit.reliability),
        "rankings": audit.comparison(),
    }


def _contact_sheet(audit, images: int) -> bytes:
    """A PNG of the most suspect images, with the caption `given → predicted` and sample_id."""
    from tf_mwn.monitoring import figures  # imported here: an audit without a sheet needs none

    worst = audit.order[:images]
    captions = [
        f"{audit.class_names[audit.label[i]]} → {audit.class_names[audit.predicted[i]]}\n"
        f"id {audit.sample_id[i]}"
        for i in worst
    ]
    title = f"given → predicted label of the {len(worst)} most suspect of {len(audit.label)}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the page shows what the font lacks
        return figures.png(figures.contact_sheet(np.asarray(audit.x[worst]), captions, title))


def summary(audit) -> str:
    """The text for a terminal."""
    parts = [
        believed(audit),
        _suspects(audit),
        _class_table(audit),
    ]
    rankings = audit.comparison()
    if rankings:
        wrong = int((audit.label != audit.clean_label).sum())
        parts.append(
            f"against the clean labels, {wrong} wrong: the first {wrong} of each ranking\n"
            + _ranking_table(rankings)
        )
    return "\n".join(parts)


def _suspects(audit) -> str:
    text = f"{len(audit.suspects)} of {len(audit.label)} labels are suspect (trust below 0.5)"
    if audit.held_out is not None:
        found, size = int(audit.held_out[audit.suspects].sum()), int(audit.held_out.sum())
        text += f", {found} of them among the {size} held out for testing"
    return f"{text}; estimated noise rate {audit.noise_rate:.3f}"


def _reliability(reliability: Reliability) -> dict[str, Any]:
    return {**dataclasses.asdict(reliability), "too_weak": reliability.too_weak}


def believed(audit) -> str:
    """How far the audit can be believed, in one line."""
    reliability = audit.reliability
    if reliability is None:
        return (
            "it is unknown how many suspects are wrong: there are no clean examples that the "
            "classifier was not trained on"
        )
    planted = f"errors planted in {reliability.examples} clean examples"
    if reliability.precision is None:
        return f"it is unknown how many suspects are wrong: of {planted}, none would be suspect"
    precision = _share(reliability.precision, reliability.precision_error)
    right = _share(reliability.right_suggestions, reliability.right_suggestions_error)
    told = (
        f"tested with {planted}: share of suspects that are wrong {precision}, at a noise rate of "
        f"{reliability.noise_rate:.2f}; share of suggested labels that are right {right}"
    )
    if reliability.untested:
        names = ", ".join(audit.class_names[k] for k in reliability.untested[:_LISTED])
        more = ", .." if len(reliability.untested) > _LISTED else ""
        told += f"; not tested, as no example is clean: class {names}{more}"
    if reliability.too_weak:
        return f"the classifier is too weak to judge, and no label is suggested: {told}"
    return told


def _share(value: float | None, error: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} ± {error:.2f}"


def _class_table(audit, largest: int = 20) -> str:
    """A row per class with its noise and, if there are few classes, its row of the matrix."""
    header = ["class", "share of wrong labels"]
    rows = [
        [name, f"{share:.3f}"]
        for name, share in zip(audit.class_names, audit.class_noise, strict=True)
    ]
    if len(rows) <= largest:
        header.append(f"P(given label | true class), from the {audit.matrix_from}")
        for row, given in zip(rows, audit.transition_matrix, strict=True):
            row.append(" ".join(f"{p:.2f}" for p in given))
    return text_table(header, rows, left=(0, 2))


def _ranking_table(rankings: dict[str, dict]) -> str:
    rows = [[name, *(number(v, ".3f") for v in row.values())] for name, row in rankings.items()]
    return text_table(["ranking", "precision", "recall", "AUC"], rows)
