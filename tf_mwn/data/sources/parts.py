"""The parts of a source by the names that people give them."""

from collections.abc import Collection

from tf_mwn.messages import logger

TRAIN, TEST, VALIDATION, META = "train", "test", "validation", "meta"
_NAMES = {
    TRAIN: ("train", "training"),
    TEST: ("test", "testing"),
    VALIDATION: ("validation", "valid", "val", "dev"),
    META: ("meta",),
}
_PART = {name: part for part, names in _NAMES.items() for name in names}


def part_of(name: str) -> str | None:
    """The part that a folder, a split or a value of a column is called after; None if none is."""
    return _PART.get(name.lower())


def assigned(source: str, parts: Collection[str]) -> dict[str, str]:
    """What each part of a source serves as: without a test part, the validation part is it."""
    serves = {part: part for part in parts}
    if VALIDATION in serves and TEST not in serves:
        serves[VALIDATION] = TEST
        logger.info("%s: its validation part serves as test part, because it has none", source)
    return serves
