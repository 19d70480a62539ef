"""The page on which a person reviews suspect labels: one HTML file that loads nothing."""

import hashlib
import html
import importlib.resources
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_mwn.auditing import thumbnails

PAGE = "audit.html"
MOST_EXAMPLES = 100_000  # of the page; a browser holds them with ease
_VALUES = 24  # of a row of a table, or of a sequence, that are shown


def page(audit, title: str, believed: str, suspects: str, chosen: np.ndarray | None = None) -> str:
    """The HTML of the page.

    Args:
        audit: an `Audit`.
        title: the heading.
        believed: how far the audit can be believed, which the page says first.
        suspects: how many labels are suspect.
        chosen: positions of the examples that the page lists; None for all, the most suspect first.
    """
    rows = (audit.order if chosen is None else chosen)[:MOST_EXAMPLES]
    images = thumbnails.thumbnails(audit.x, rows)
    template = importlib.resources.files("tf_mwn.auditing").joinpath("page.html")
    texts = {
        "title": title,
        "believed": believed,
        "suspects": suspects,
        "limits": _limits(len(audit.label if chosen is None else chosen), len(rows), len(images)),
    }
    parts = {name: html.escape(text) for name, text in texts.items()}
    parts["data"] = _script_json(_data(audit, rows, images, chosen is not None))
    return _filled(template.read_text(encoding="utf-8"), parts)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with its parts. One pass: braces in the data are not looked at."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def _script_json(content: Any) -> str:
    """JSON that a script element can hold: no text in it can end the element, or open another."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _limits(examples: int, listed: int, pictured: int) -> str:
    """What the page leaves out; empty if it shows everything."""
    left_out = []
    if listed < examples:
        left_out.append(
            f"The list holds the {listed} most suspect of {examples} examples. All are in "
            "suspects.csv."
        )
    if 0 < pictured < listed:
        left_out.append(f"The {pictured} most suspect have a picture, the others only their name.")
    return " ".join(left_out)


def _data(audit, rows: np.ndarray, images: list[str], all_listed: bool) -> dict[str, Any]:
    """The columns of the list, by the names that the script gives them.

    Without `all_listed`, the suspects are listed at first.
    """
    suggested = audit.suggested
    return {
        "key": _key(audit),
        "classes": list(audit.class_names),
        "suspects": len(rows) if all_listed else min(len(audit.suspects), len(rows)),
        "id": [str(i) for i in audit.sample_id[rows].tolist()],
        "label": audit.label[rows].tolist(),
        "predicted": audit.predicted[rows].tolist(),
        "suggested": None if suggested is None else suggested[rows].tolist(),
        "trust": np.round(audit.trust[rows], 4).tolist(),
        "path": None if audit.path is None else audit.path[rows].tolist(),
        "text": _texts(audit.x, rows),
        "image": images,
        "small": thumbnails.are_small(audit.x),
    }


def _key(audit) -> str:
    """What the browser keeps decisions by: the same for every audit of these labels."""
    order = np.argsort(audit.sample_id)
    labels = np.stack([audit.sample_id[order], audit.label[order]]).astype("<i8")
    digest = hashlib.sha256(labels.tobytes())
    digest.update(json.dumps(audit.class_names).encode())
    return digest.hexdigest()[:16]


def _texts(x: Any, rows: np.ndarray) -> list[str] | None:
    """The first values of each row [D] of a table, or of a sequence without its padding."""
    if getattr(x, "ndim", 0) != 2:
        return None
    are_tokens = _are_tokens(np.asarray(x))
    return [_text(row, are_tokens) for row in np.asarray(x[rows])]


def _are_tokens(x: np.ndarray) -> bool:
    """Whether all rows are sequences: whole numbers from 1, and zeros at the end alone."""
    filled = x != 0
    is_padded = (filled[:, 1:] <= filled[:, :-1]).all()
    return bool(is_padded and (x >= 0).all() and (x == np.floor(x)).all())


def _text(row: np.ndarray, is_padded: bool) -> str:
    if is_padded:
        row = row[: max(1, np.count_nonzero(row))]
    values = " ".join(f"{value:.6g}" for value in row[:_VALUES].tolist())
    more = len(row) - _VALUES
    return f"{values} … and {more} more" if more > 0 else values
