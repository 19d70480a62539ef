"""The examples whose label is most worth checking, for a person who has no clean set yet."""

from pathlib import Path

import numpy as np

from tf_mwn.auditing.page import page
from tf_mwn.checks import check_count
from tf_mwn.data.rounding import largest_remainder
from tf_mwn.data.seeds import generator
from tf_mwn.files import Folder

LIST, PAGE = "ask.csv", "ask.html"


def worth_checking(audit, size: int) -> np.ndarray:
    """Chooses examples to check, as many of each class as there are.

    A clean set serves twice: it corrects labels, and a method learns from it what a right label
    looks like. So half of each class are the examples with the least trust, and half are drawn at
    random: the suspects alone would be a set of hard and wrong examples, unlike the data. The class
    is the suggested one; the given one where the classifier is too weak to suggest any.

    Args:
        audit: an `Audit`.
        size: how many, at least 1 and at most all.

    Returns:
        [size] positions, the least trusted first.

    Raises:
        ValueError: more than there are.
    """
    size = check_count("ask", size, 1, most=len(audit.label), counted="audited examples")
    classes = audit.label if audit.suggested is None else audit.suggested
    wanted = _sizes(np.bincount(classes, minlength=len(audit.class_names)), size)
    chosen = [_of_class(audit, np.flatnonzero(classes == c), n) for c, n in enumerate(wanted)]
    rows = np.concatenate(chosen)
    return rows[np.argsort(audit.log_odds[rows], kind="stable")]


def _sizes(counts: np.ndarray, size: int) -> np.ndarray:
    """How many to take of each class: as even as the counts allow, [C]."""
    taken = np.zeros(len(counts), np.int64)
    while taken.sum() < size:
        free = counts - taken
        left, open_classes = size - taken.sum(), free > 0
        taken += np.minimum(free, largest_remainder(left * open_classes / open_classes.sum(), left))
    return taken


def _of_class(audit, rows: np.ndarray, size: int) -> np.ndarray:
    """Half of `size` with the least trust, and half at random, among `rows`."""
    ranked = rows[np.argsort(audit.log_odds[rows], kind="stable")]
    worst, others = np.split(ranked, [(size + 1) // 2])
    drawn = generator(0, "ask").random(len(others)).argsort(kind="stable")
    return np.concatenate([worst, others[drawn[: size - len(worst)]]])


def write(audit, size: int, folder: str | Path, title: str) -> list[Path]:
    """Writes ask.csv, the examples with what is known of them, and ask.html, a page to check them.

    Returns:
        The paths written.
    """
    rows, folder, names = worth_checking(audit, size), Folder(folder), audit.class_names
    suggested, path = audit.suggested, audit.path
    columns = {
        "sample_id": audit.sample_id[rows],
        "path": None if path is None else path[rows],
        "label": [names[k] for k in audit.label[rows]],
        "predicted": [names[k] for k in audit.predicted[rows]],
        "suggested": None if suggested is None else [names[k] for k in suggested[rows]],
        "trust": audit.trust[rows],
    }
    folder.write_columns(LIST, columns)
    told = (
        "Decide on every example: what you keep or relabel becomes the clean set. Examples you are "
        "unsure about are left out."
    )
    counts = f"{len(rows)} examples of {len(set(columns['label']))} given classes"
    with folder.replacing(PAGE) as file:
        file.write_text(page(audit, title, told, counts, rows), "utf-8", "replace")
    return [folder / LIST, folder / PAGE]
