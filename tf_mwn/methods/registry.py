"""The methods by name. Rows hold dotted paths, so that listing them imports nothing heavy."""

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from tf_mwn.methods.facts import TrainingFacts, supply
from tf_mwn.names import unknown_name


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One method.

    Attributes:
        name: what flags and result files call it.
        title: one line.
        paper: author, venue, year and link.
        builder: "module:Class" below `tf_mwn.methods`; called with the classifier and `options`.
        needs_meta_set: whether training elements must hold meta batches.
        options: constructor arguments that settings of the same name supply.
        facts: constructor arguments that `TrainingFacts` of the same name supply.
        compile_options: settings that only the meta optimizer reads.
    """

    name: str
    title: str
    paper: str
    builder: str
    needs_meta_set: bool = False
    options: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    compile_options: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The method's own settings; every other method ignores them."""
        return self.options + self.compile_options


_META_OPTIMIZER = (
    "meta_optimizer",
    "meta_learning_rate",
    "meta_weight_decay",
    "meta_batch_size",
)

METHODS = {
    row.name: row
    for row in (
        MethodRow(
            name="cross_entropy",
            title="plain training on the given labels",
            paper="the baseline",
            builder="cross_entropy:CrossEntropy",
        ),
        MethodRow(
            name="meta_weight_net",
            title="sample weights V(loss), learned on the meta set",
            paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
            builder="meta_weight_net:MetaWeightNet",
            needs_meta_set=True,
            options=(
                "weight_net_units",
                "weight_normalization",
                "virtual_variables",
                "virtual_step",
                "meta_interval",
                "detach_loss",
            ),
            compile_options=_META_OPTIMIZER,
        ),
    )
}


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
    module, name = row.builder.split(":")
    model_class = getattr(importlib.import_module(f"tf_mwn.methods.{module}"), name)
    options = {option: settings[option] for option in row.options}
    return model_class(classifier, **options, **supply(row.name, row.facts, facts))
