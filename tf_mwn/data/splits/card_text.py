"""The data card as text for a terminal."""

from typing import Any

# Classes up to which `format_card` prints counts and matrices.
PRINTED_CLASSES = 10


def format_card(card: dict[str, Any]) -> str:
    """Returns the card as compact text for a terminal: at most 25 lines.

    Counts per class and matrices are left out for more than ten classes.
    """
    noise, imbalance, sizes = card["noise"], card["imbalance"], card["sizes"]
    shape = "x".join(str(size) for size in card["input_shape"])
    lines = [
        f"data         {card['source']}: {card['num_classes']} classes of {shape}, "
        f"seed {card['seed']}",
        "sizes        " + ", ".join(f"{name} {size}" for name, size in sizes.items()),
        f"clean labels {_clean_labels(card)}",
        *_test_lines(card),
        f"noise        {noise['kind']}: nominal rate {_number(noise['nominal_rate'])}, "
        f"realised {_number(noise['realised_rate'])}{_details(noise)}",
        *_altered_lines(card),
        f"imbalance    {imbalance['kind']}: nominal factor {_number(imbalance['nominal_factor'])}, "
        f"realised {_number(imbalance['realised_factor'])}",
        *_meta_lines(card["meta"]),
        f"fingerprint  {card['fingerprint'][:16]}",
    ]
    if card["num_classes"] > PRINTED_CLASSES:
        return "\n".join([*lines, "(counts per class and matrices: see the card's JSON)"])
    counts = {"clean": card["train_per_class"]["clean"], "given": card["train_per_class"]["given"]}
    for name, values in {**counts, "meta": card["meta_per_class"]}.items():
        if values is not None:
            lines.append(f"{name:<12} " + " ".join(f"{value:>5}" for value in values))
    return "\n".join(lines + _matrix_lines(noise))


# The labels of a test part that was split off data whose labels nobody vouches for.
AS_DOUBTFUL = "as doubtful as the others"
# What an accuracy on the test part is measured against.
TEST_LABELS = {
    "true": "the true labels",
    "taken as true": "the given labels, which are taken as true",
    AS_DOUBTFUL: "a fifth of the given labels, as doubtful as those trained on",
    "of the test part": "the labels of your test part, which only you can vouch for",
}


def _clean_labels(card: dict[str, Any]) -> str:
    if card["clean_labels"] == "known":
        return "known"
    if card["clean_labels"] == "assumed":
        return "not known: the given labels are taken as clean"
    if card["sizes"]["meta"] and card["meta"]["from"] == "training part":
        return "not known: no noise rate; the meta set takes the given labels as clean"
    return "not known, and so is the noise rate"


def _test_lines(card: dict[str, Any]) -> list[str]:
    known = card["clean_labels"] != "unknown"
    return [] if known else [f"test labels  {TEST_LABELS[card['test_labels']]}"]


def _details(noise: dict[str, Any]) -> str:
    """Returns what the two rates leave open: exact counts, a class, the expected rate."""
    parts = []
    if noise["expected_rate"] is not None and not _close(
        noise["expected_rate"], noise["nominal_rate"]
    ):
        parts.append(f"expected {_number(noise['expected_rate'])}")
    if noise["sampling"] == "exact":
        parts.append("exact counts")
    if noise["target"] is not None:
        parts.append(f"all to class {noise['target']}")
    return f" ({', '.join(parts)})" if parts else ""


def _close(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) < 1e-6


def _altered_lines(card: dict[str, Any]) -> list[str]:
    lines = []
    for title, name, what in (
        ("open set", "open_set", "source"),
        ("data noise", "data_noise", "kind"),
    ):
        facts = card[name]
        if facts[what] not in (None, "none"):
            lines.append(
                f"{title:<12} {facts[what]}: nominal rate {_number(facts['nominal_rate'])}, "
                f"realised {_number(facts['realised_rate'])}"
            )
    if lines and card["wrong_fraction"] is not None:
        lines[-1] += f"; labels wrong for their image in all {_number(card['wrong_fraction'])}"
    return lines


def _meta_lines(meta: dict[str, Any]) -> list[str]:
    if meta["noise"] == "none" and meta["nominal_factor"] == 1:
        return []
    return [
        f"meta set     noise {meta['noise']}: nominal rate {_number(meta['nominal_rate'])}, "
        f"realised {_number(meta['realised_rate'])}; imbalance: nominal factor "
        f"{_number(meta['nominal_factor'])}, realised {_number(meta['realised_factor'])}"
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _matrix_lines(noise: dict[str, Any]) -> list[str]:
    """Returns the realised matrix, each row with the nominal probability of its own class."""
    realised, nominal = noise["realised_matrix"], noise["nominal_matrix"]
    if realised is None or noise["realised_rate"] == 0:
        return []
    lines = ["P(given label | clean label), realised; at the end the nominal probability to stay"]
    for label, row in enumerate(realised):
        stay = "" if nominal is None else f"  ({nominal[label][label]:.2f})"
        lines.append(f"{label:>12} " + " ".join(f"{value:>5.2f}" for value in row) + stay)
    return lines
