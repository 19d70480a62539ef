"""What a method is: its options, its needs and its cost, each stated once. No TensorFlow here."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tf_mwn.options import Option

Settings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Passes:
    """What a step costs, in forward passes of the classifier; a backward pass counts as two.

    Attributes:
        training: passes over the training batch. Plain training takes 3: one forward pass, and a
            backward pass.
        meta: passes over the meta batch.
        meta_batch: size of the meta batch by default, in training batches.
    """

    training: float = 3.0
    meta: float = 0.0
    meta_batch: float = 1.0

    def __str__(self) -> str:
        """For a meta batch as large as the training batch: "10F"."""
        return f"{self.training + self.meta * self.meta_batch:.3g}F"


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of the training, all of whose steps are of one kind.

    Attributes:
        name: as the model calls it.
        epochs: how many.
        passes: what one of its steps costs; the mean, where not every step updates Θ.
    """

    name: str
    epochs: int
    passes: Passes = Passes()


def plain_training(settings: Settings) -> tuple[Phase, ...]:
    """One phase of plain steps."""
    return (Phase("training", settings["epochs"]),)


def never(settings: Settings) -> bool:
    """A need that no settings bring about."""
    return False


def always(settings: Settings) -> bool:
    """A need under all settings."""
    return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """One method.

    Attributes:
        name: what flags and result files call it.
        title: one line.
        paper: author, venue, year and link.
        builder: "package.module:name" of a class or function; called with the classifier, the
            values of `options` and the `facts`, by name.
        options: what the builder is told.
        facts: constructor arguments that `TrainingFacts` of the same name supply.
        instead_of: the fact that an option stands in for where it is given, by the option's name.
        meta_optimizer: options that only the optimizer of Θ reads; empty without one.
        stream: options that only the training stream reads.
        takes_meta_set: whether training needs a meta set under given settings.
        phases: the phases under given settings, with their lengths and costs.
        gives_weights: whether every example has a weight.
        remakes_classifier: whether what it trains is a network made from the classifier.
        resamples: whether the stream repeats or leaves out training examples.
        file: an option, the file of what the method would learn. Where it is given, the method
            trains with that as it is, and no other option is read.
        file_builder: as `builder`, called with the classifier and that file.
    """

    name: str
    title: str
    paper: str
    builder: str
    options: tuple[Option, ...] = ()
    facts: tuple[str, ...] = ()
    instead_of: Mapping[str, str] = dataclasses.field(default_factory=dict)
    meta_optimizer: tuple[Option, ...] = ()
    stream: tuple[Option, ...] = ()
    takes_meta_set: Callable[[Settings], bool] = never
    phases: Callable[[Settings], tuple[Phase, ...]] = plain_training
    gives_weights: bool = False
    remakes_classifier: bool = False
    resamples: bool = False
    file: Option | None = None
    file_builder: str | None = None

    def uses_file(self, settings: Settings) -> bool:
        """Whether under `settings` a file holds what the method would learn."""
        return self.file is not None and settings.get(self.file.name) is not None

    def needed_facts(self, settings: Settings) -> tuple[str, ...]:
        """The facts that no option stands in for under `settings`."""
        given = {fact for option, fact in self.instead_of.items() if settings[option] is not None}
        return tuple(fact for fact in self.facts if fact not in given)

    @property
    def own_options(self) -> tuple[Option, ...]:
        """Every option that the method reads, and that others ignore."""
        file = () if self.file is None else (self.file,)
        return self.options + file + self.meta_optimizer + self.stream

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of `own_options`."""
        return tuple(option.name for option in self.own_options)

    def reads_under(self, settings: Settings) -> tuple[str, ...]:
        """Those of `reads` that have an effect under `settings`."""
        return (self.file.name,) if self.uses_file(settings) else self.reads

    def cost(self, settings: Settings) -> str:
        """What a step costs, phase by phase: "3F, then 6F"."""
        costs = [str(phase.passes) for phase in self.phases(settings)]
        return ", then ".join(dict.fromkeys(costs))
