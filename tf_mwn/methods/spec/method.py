"""What the registry knows of a method."""

import dataclasses
from collections.abc import Mapping
from typing import Any

# Options of `MetaLearnedModel`, which everything learned on the engine has.
ENGINE_OPTIONS = (
    "speed",
    "virtual_variables",
    "virtual_step",
    "meta_interval",
    "reuse_gradient",
    "recompute",
)


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One method.

    Attributes:
        name: what flags and result files call it.
        title: one line.
        paper: author, venue, year and link.
        builder: "module:name" of a class or function; called with the
            classifier, `options` and `facts`.
        needs_meta_set: whether training elements must hold meta batches.
        options: constructor arguments that settings of the same name supply.
        facts: constructor arguments that `TrainingFacts` of the same name supply.
        fact_options: pairs (option, fact); an option that is given stands in for the fact.
        compile_options: settings that only the meta optimizer reads.
        stream_options: settings that only the training stream reads.
        optional_meta_set: a setting and the value of it with which a method takes a meta set
            though it does not need one.
        remakes_classifier: whether what it trains is a network made from the classifier.
        file_option: a setting, the file of what the method else learns. Where it is given, the
            method trains with it as it is: no meta set, and no other option is read.
        file_builder: as `builder`, called with the classifier and that file.
    """

    name: str
    title: str
    paper: str
    builder: str
    needs_meta_set: bool = False
    options: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    fact_options: tuple[tuple[str, str], ...] = ()
    compile_options: tuple[str, ...] = ()
    stream_options: tuple[str, ...] = ()
    optional_meta_set: tuple[str, str] | None = None
    remakes_classifier: bool = False
    file_option: str | None = None
    file_builder: str | None = None

    def uses_file(self, settings: Mapping[str, Any]) -> bool:
        """Whether under `settings` a file holds what the method else learns."""
        return self.file_option is not None and settings.get(self.file_option) is not None

    def takes_meta_set(self, settings: Mapping[str, Any]) -> bool:
        """Whether training elements hold meta batches under `settings`."""
        if self.uses_file(settings):
            return False
        if self.optional_meta_set is None:
            return self.needs_meta_set
        name, value = self.optional_meta_set
        return self.needs_meta_set or settings[name] == value

    def needed_facts(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The facts that no option stands in for under `settings`."""
        given = {fact for option, fact in self.fact_options if settings[option] is not None}
        return tuple(fact for fact in self.facts if fact not in given)

    @property
    def resamples(self) -> bool:
        """Whether the stream repeats or leaves out training examples."""
        return "resampling_kind" in self.stream_options

    @property
    def reads(self) -> tuple[str, ...]:
        """The method's own settings; every other method ignores them."""
        file = () if self.file_option is None else (self.file_option,)
        return self.options + file + self.compile_options + self.stream_options

    def reads_under(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of `reads` that have an effect under `settings`."""
        return (self.file_option,) if self.uses_file(settings) else self.reads
