"""The methods by name."""

import importlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from typing import Any

from tf_mwn.checks import check_name
from tf_mwn.messages import logger
from tf_mwn.methods.correction import specs as correction
from tf_mwn.methods.hyper_parameters import specs as hyper_parameters
from tf_mwn.methods.losses import specs as losses
from tf_mwn.methods.mentornet import specs as mentornet
from tf_mwn.methods.meta_weight_net import specs as meta_weight_net
from tf_mwn.methods.reweighting import specs as reweighting
from tf_mwn.methods.rules import specs as rules
from tf_mwn.methods.spec.costs import in_effect
from tf_mwn.methods.spec.facts import TrainingFacts, supply
from tf_mwn.methods.spec.method import Method
from tf_mwn.methods.teachers import specs as teachers
from tf_mwn.options import Option

__all__ = ["METHODS", "OPTIONS", "Method", "build", "find"]

# Installed packages add methods by entry points of this group; each is a tuple of `Method`s.
ENTRY_POINTS = "tf_mwn.methods"
_FAMILIES = (
    meta_weight_net.METHODS,
    losses.ADAPTIVE,
    reweighting.METHODS,
    mentornet.METHODS,
    teachers.CLEAN_SET,
    correction.METHODS,
    teachers.TEACHING,
    hyper_parameters.METHODS,
    losses.FIXED,
    rules.METHODS,
)


def _by_name(methods: Iterable[Method]) -> dict[str, Method]:
    """The methods by name.

    Raises:
        ValueError: two methods of one name, or two options of one name that differ.
    """
    found: dict[str, Method] = {}
    for method in methods:
        if method.name in found:
            raise ValueError(f"method {method.name}: expected one of this name, received two")
        found[method.name] = method
    options: dict[str, Option] = {}
    for method in found.values():
        for option in method.own_options:
            if options.setdefault(option.name, option) != option:
                raise ValueError(f"option {option.name}: expected one, received two that differ")
    return found


def _with_other_packages(own: Mapping[str, Method]) -> dict[str, Method]:
    """`own` and the methods of installed packages; warns of packages that cannot be used."""
    found = dict(own)
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            found = _by_name([*found.values(), *_loaded(point)])
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            logger.warning("package %s: its methods are left out; %s", point.dist.name, reason)
    return found


def _loaded(point: importlib.metadata.EntryPoint) -> tuple[Method, ...]:
    methods = point.load()
    if not isinstance(methods, tuple) or not all(isinstance(m, Method) for m in methods):
        raise TypeError(f"{point.value}: expected a tuple of Method, received {methods!r}")
    return methods


METHODS = _with_other_packages(_by_name(m for family in _FAMILIES for m in family))
# The options of all methods, by name.
OPTIONS = {option.name: option for m in METHODS.values() for option in m.own_options}


def find(name: str) -> Method:
    """The method called `name`.

    Raises:
        ValueError: no such method; the message lists the names and suggests the nearest.
    """
    return METHODS[check_name("method", name, METHODS)]


def build(
    method: Method, classifier, settings: Mapping[str, Any], facts: TrainingFacts | None = None
):
    """The method's model around `classifier`.

    Args:
        method: the method.
        classifier: built Keras model that returns logits.
        settings: values of the method's options, by name.
        facts: of the training set; None where the method needs none.

    Raises:
        ValueError: a fact that the method needs is not known.
    """
    from tf_mwn.training.checks.tasks import check_sight_of  # loads TensorFlow

    check_sight_of(classifier, method.name, method.sees)
    if method.uses_file(settings):
        return _registered(
            method, named(method.file_builder)(classifier, settings[method.file.name])
        )
    settings = in_effect(settings)
    options = {option.name: settings[option.name] for option in method.options}
    options |= {name: method.shared_value(settings, name) for name in method.shared}
    needed = method.needed_facts(settings)
    instead = {fact: option for option, fact in method.instead_of.items()}
    values = supply(method.name, needed, facts, instead)
    return _registered(method, named(method.builder)(classifier, **options, **values))


def _registered(method: Method, model):
    model.registered = method.name, method.sees
    return model


def named(path: str):
    """The class or function of a "package.module:name"."""
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
