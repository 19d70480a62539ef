"""What the registry knows of a method."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One method.

    Attributes:
        name: what flags and result files call it.
        title: one line.
        paper: author, venue, year and link.
        builder: "module:name" of a class or function below `tf_mwn.methods`; called with the
            classifier, `options` and `facts`.
        needs_meta_set: whether training elements must hold meta batches.
        options: constructor arguments that settings of the same name supply.
        facts: constructor arguments that `TrainingFacts` of the same name supply.
        fact_options: pairs (option, fact); an option that is given stands in for the fact.
        compile_options: settings that only the meta optimizer reads.
        stream_options: settings that only the training stream reads.
        optional_meta_set: a setting and the value of it with which a method takes a meta set
            though it does not need one.
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

    def takes_meta_set(self, settings: Mapping[str, Any]) -> bool:
        """Whether training elements hold meta batches under `settings`."""
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
        return self.options + self.compile_options + self.stream_options
