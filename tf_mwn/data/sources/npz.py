"""An .npz file of arrays."""

import re

import numpy as np

from tf_mwn.data.arrays import npz_names
from tf_mwn.data.arrays import read_npz as read_arrays
from tf_mwn.data.sources.parts import assigned, part_of
from tf_mwn.data.sources.source import RawSource
from tf_mwn.data.sources.tokens import TOKENS, checked, of_length
from tf_mwn.messages import logger

_ARRAYS = "x tokens y y_clean y_coarse sample_id class_names".split()
_OF_A_PART = re.compile("(x|tokens|y)_([a-z]+)")


def read_npz(path: str) -> RawSource:
    """Reads a source from an .npz file.

    The file holds `x` ([N, D] features, [N, H, W] or [N, H, W, C] images), or in its place `tokens`
    ([N, L] integers, sequences padded with 0 at the end; L may differ between parts), and `y`
    (integers from 0). Optional: `y_clean`, the true labels, which makes `y` the source's own noisy
    labels; `x_test` and `y_test`, without which a fifth of each class is split off; `x_validation`
    and `y_validation` (`x_val`, `x_valid`), which are the test part if there is no other; `x_meta`
    and `y_meta`, clean examples that the meta set is drawn from instead of the training part;
    `y_coarse`, the superclass of each example; `sample_id`; `class_names`.

    Raises:
        TypeError, ValueError: a file that is missing or no such archive; see `build_source` for
            arrays that cannot be used.
    """
    names = npz_names("dataset", path)
    inputs = TOKENS if TOKENS in names else "x"
    if "y" not in names or len({"x", TOKENS} & set(names)) != 1:
        raise ValueError(
            f"dataset: expected arrays x (or tokens) and y in {path}, "
            f"received {', '.join(names) or 'none'}"
        )
    known = _known(path, names)
    arrays = read_arrays("dataset", path, known)
    arrays = {known[name]: array for name, array in arrays.items()}
    if inputs == TOKENS:
        tokens = {n: checked(n, arrays.pop(n)) for n in [*arrays] if n.startswith(TOKENS)}
        longest = max(array.shape[1] for array in tokens.values())
        arrays |= {n.replace(TOKENS, "x"): of_length(n, a, longest) for n, a in tokens.items()}
    noisy = "y_clean" in arrays
    given, clean = arrays.pop("y"), arrays.pop("y_clean", None)
    class_names = arrays.pop("class_names", None)
    return RawSource(
        name=path,
        x=arrays.pop("x"),
        y=clean if noisy else given,
        y_given=given if noisy else None,
        clean_known=noisy,
        class_names=None if class_names is None else _texts(path, class_names),
        is_own=True,
        is_tokens=inputs == TOKENS,
        **arrays,
    )


def _known(path: str, names: list[str]) -> dict[str, str]:
    """What each array of a file is, by the name that it has there.

    Raises:
        ValueError: an array whose name begins like one of a part, but is of none.
    """
    parts = {}
    for name in names:
        match = _OF_A_PART.fullmatch(name)
        if match and name not in _ARRAYS:
            parts[name] = match[1], part_of(match[2])
    strays = [name for name, (_, part) in parts.items() if part in (None, "train")]
    if strays:
        raise ValueError(
            "dataset: expected only the arrays x (or tokens), y and y_clean, and x and y ending "
            f"in _test, _validation or _meta, in {path}, received {', '.join(strays)} too"
        )
    serves = assigned(path, list(dict.fromkeys(part for _, part in parts.values())))
    known = {name: f"{kind}_{serves[part]}" for name, (kind, part) in parts.items()}
    unused = [name for name in names if name not in known and name not in _ARRAYS]
    if unused:
        logger.warning("%s: not used: %s", path, ", ".join(unused))
    return {**{name: name for name in names if name in _ARRAYS}, **known}


def _texts(path: str, names: np.ndarray) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) < len(names):
        raise ValueError(
            f"class_names: expected different texts [C] in {path}, "
            f"received an array of {names.dtype} with shape {list(names.shape)}"
        )
    return tuple(names.tolist())
