"""tf_mwn: robust deep learning by meta-learning, in TensorFlow and Keras.

`MetaWeightNet` trains a Keras classifier with sample weights that it learns on a small clean set.
`paired_dataset` makes the pairs of training and meta batches for it. Importing the package loads
neither TensorFlow nor Keras; the first use of a public name does.
"""

import importlib
import importlib.metadata
import re
from pathlib import Path
from typing import Any

from tf_mwn.registration import register_when_keras_is_loaded

__version__ = "0.2.0"

# The module of each public name. Type checkers read the same list.
_PUBLIC = {
    name: module
    for module, name in re.findall(
        r"^from (\S+) import \(?\s*(\w+)", Path(__file__).with_suffix(".pyi").read_text(), re.M
    )
}
__all__ = sorted(_PUBLIC)

_LEAST = (
    (("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-rocm"), (2, 21)),
    (("keras", "keras-nightly"), (3, 15)),
)


def _check_versions() -> None:
    """Refuses, in one sentence, a TensorFlow or Keras that is too old for this package."""
    for names, least in _LEAST:
        found = None
        for name in names:
            try:
                found = name, importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
        if found is None:
            continue  # built from source, without metadata: there is no version to compare
        numbers = tuple(int(number) for number in re.findall(r"\d+", found[1])[:2])
        if numbers < least:
            raise ImportError(
                f"tf_mwn needs {names[0]} >= {least[0]}.{least[1]}, found {found[0]} {found[1]}: "
                f"run pip install --upgrade {found[0]}"
            )


_check_versions()
register_when_keras_is_loaded()


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tf_mwn' has no attribute {name!r}")
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            "tf_mwn needs Keras on TensorFlow, found the backend "
            f"{keras.backend.backend()!r}: set KERAS_BACKEND=tensorflow"
        )
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
