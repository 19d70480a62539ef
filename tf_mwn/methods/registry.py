"""The methods by name."""

import importlib
from collections.abc import Mapping
from typing import Any

from tf_mwn.checks import unknown_name
from tf_mwn.methods.correction.specs import CORRECTION
from tf_mwn.methods.hyper_parameters.specs import HYPER_PARAMETERS
from tf_mwn.methods.mentornet.specs import MENTOR
from tf_mwn.methods.reweighting.specs import REWEIGHTING
from tf_mwn.methods.rows import META_LEARNED, ROBUST_LOSSES, WEIGHTINGS
from tf_mwn.methods.spec.facts import TrainingFacts, supply
from tf_mwn.methods.spec.method import MethodRow
from tf_mwn.methods.teachers.specs import BASELINES
from tf_mwn.methods.teachers.teaching_specs import TEACHING

__all__ = ["METHODS", "MethodRow", "build", "find"]

_FAMILIES = (
    META_LEARNED,
    REWEIGHTING,
    MENTOR,
    BASELINES,
    CORRECTION,
    TEACHING,
    HYPER_PARAMETERS,
    ROBUST_LOSSES,
    WEIGHTINGS,
)
METHODS = {row.name: row for family in _FAMILIES for row in family}


def find(name: str) -> MethodRow:
    """The row called `name`.

    Raises:
        ValueError: naming the valid names and the nearest.
    """
    if name not in METHODS:
        raise ValueError(unknown_name("method", name, METHODS))
    return METHODS[name]


def build(
    row: MethodRow, classifier, settings: Mapping[str, Any], facts: TrainingFacts | None = None
):
    """The method's model around `classifier`.

    Args:
        row: the method.
        classifier: built Keras model that returns logits.
        settings: values of the row's options, by name.
        facts: of the training set; None where the row needs none.

    Raises:
        ValueError: a fact that the method needs is not known.
    """
    if row.uses_file(settings):
        return _builder(row.file_builder)(classifier, settings[row.file_option])
    options = {option: settings[option] for option in row.options}
    needed = row.needed_facts(settings)
    instead = {fact: option for option, fact in row.fact_options}
    values = supply(row.name, needed, facts, instead)
    return _builder(row.builder)(classifier, **options, **values)


def _builder(path: str):
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
