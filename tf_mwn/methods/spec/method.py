"""A method's options, needs and cost, each stated once. Nothing here imports TensorFlow."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tf_mwn.options import Option
from tf_mwn.training.options import (
    FINE_TUNING_EPOCHS,
    FINE_TUNING_RATE,
    HELD_BACK,
    LOGIT_ADJUSTMENT,
    META_BATCH_SIZE,
    NOT_GIVEN,
    TARGET_SHARES,
)

Settings = Mapping[str, Any]
UNSET = (None,)


@dataclasses.dataclass(frozen=True)
class Passes:
    """The cost of a step, in forward passes of the classifier; a backward pass counts as two.

    Attributes:
        training: passes over the training batch; 3 in plain training.
        meta: passes over the meta batch.
        meta_batch: size of the meta batch by default, in training batches.
    """

    training: float = 3.0
    meta: float = 0.0
    meta_batch: float = 1.0

    def __str__(self) -> str:
        """The total for meta batches of their default size: "10F"."""
        return f"{self.training + self.meta * self.meta_batch:.3g}F"


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of the training with steps of one kind.

    Attributes:
        name: the model's name for it.
        epochs: its length.
        passes: the cost of a step; the mean cost if only some steps update Θ.
    """

    name: str
    epochs: int
    passes: Passes = Passes()


def plain_training(settings: Settings) -> tuple[Phase, ...]:
    """One phase of plain steps."""
    return (Phase("training", settings["epochs"]),)


def never(settings: Settings) -> bool:
    """A need under no settings."""
    return False


def always(settings: Settings) -> bool:
    """A need under all settings."""
    return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """One method.

    Attributes:
        name: its name in flags and result files.
        title: one line.
        paper: author, venue, year and link.
        builder: "package.module:name" of a class or function. It is called with the classifier
            and, by name, with the values of `options` and the `facts`.
        options: the options that the builder takes.
        facts: arguments of the builder that `TrainingFacts` supply under the same names.
        shared: the shared options (`tf_mwn.training.options.SHARED`) that the builder takes. Those
            of the others are no concern of the builder.
        defaults: the method's own defaults of shared options, by name.
        adjusts_logits: whether a logit adjustment has an effect.
        trains_on_meta_set: whether the classifier itself trains on the meta set.
        holds_back_meta: whether it leaves a part of the meta set, `HELD_BACK`, untouched.
        instead_of: option name -> the fact that is not needed if the option is set.
        meta_optimizer: options that only the optimizer of Θ reads; empty if there is none.
        stream: options that only the training stream reads.
        takes_meta_set: whether training under given settings needs a meta set.
        phases: the phases under given settings.
        gives_weights: whether every example has a weight.
        remakes_classifier: whether it trains a new network that is made from the classifier.
        sees: what it looks at: "losses" of examples alone, so that it can be used for every task;
            also the class that "labels" name; "classes" that exclude each other, each output by
            itself; or more of whole "examples".
        resamples: whether the stream repeats or leaves out training examples.
        file: the option for a file that holds what the method would learn. If it is set, training
            keeps the content of the file fixed and reads no other option.
        file_builder: like `builder`, but called with the classifier and the file.
        effective: own option name -> the other option that decides whether it has an effect, and
            the values under which it has one; `UNSET` if any value takes the effect away.
    """

    name: str
    title: str
    paper: str
    builder: str
    options: tuple[Option, ...] = ()
    facts: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    adjusts_logits: bool = True
    trains_on_meta_set: bool = False
    holds_back_meta: bool = False
    instead_of: Mapping[str, str] = dataclasses.field(default_factory=dict)
    meta_optimizer: tuple[Option, ...] = ()
    stream: tuple[Option, ...] = ()
    takes_meta_set: Callable[[Settings], bool] = never
    phases: Callable[[Settings], tuple[Phase, ...]] = plain_training
    gives_weights: bool = False
    remakes_classifier: bool = False
    resamples: bool = False
    sees: str = "examples"
    file: Option | None = None
    file_builder: str | None = None
    effective: Mapping[str, tuple[Option, tuple[str | None, ...]]] = dataclasses.field(
        default_factory=dict
    )

    def uses_file(self, settings: Settings) -> bool:
        """Whether `settings` name a file that holds what the method would learn."""
        return self.file is not None and settings.get(self.file.name) is not None

    def needed_facts(self, settings: Settings) -> tuple[str, ...]:
        """The facts that no option of `settings` replaces."""
        given = {fact for option, fact in self.instead_of.items() if settings[option] is not None}
        return tuple(fact for fact in self.facts if fact not in given)

    def shared_value(self, settings: Settings, name: str) -> Any:
        """The value of a shared option: that of the run, of the method, or the default of all."""
        if name == LOGIT_ADJUSTMENT.name and not self.adjusts_logits:
            return 0.0
        if settings[name] is not None:
            return settings[name]
        return self.defaults.get(name, NOT_GIVEN[name])

    def fine_tuning_epochs(self, settings: Settings) -> int:
        """Epochs of the last phase, on the meta set."""
        return self.shared_value(settings, FINE_TUNING_EPOCHS.name)

    def ignores(self, settings: Settings, name: str) -> str | None:
        """When the option `name` has an effect, if it has none under `settings`."""
        if name == TARGET_SHARES.name and not self.shared_value(settings, LOGIT_ADJUSTMENT.name):
            return f"with {LOGIT_ADJUSTMENT.name} above 0"
        if name == FINE_TUNING_RATE.name and not self.fine_tuning_epochs(settings):
            return f"with {FINE_TUNING_EPOCHS.name} above 0"
        if name == HELD_BACK.name and not (
            self.holds_back_meta or self.fine_tuning_epochs(settings)
        ):
            return f"with {FINE_TUNING_EPOCHS.name} above 0"
        if name in self.effective:
            decides, values = self.effective[name]
            if settings[decides.name] not in values:
                one_of = f"with {decides.name}={' or '.join(map(str, values))}"
                return f"without {decides.name}" if values == UNSET else one_of
        return None

    def needs_meta_set(self, settings: Settings) -> bool:
        """Whether the training or its last phase needs a meta set."""
        return self.takes_meta_set(settings) or self.fine_tuning_epochs(settings) > 0

    def holds_back(self, settings: Settings) -> float:
        """The share of the meta set that is held back from the classifier's training."""
        holds_back = self.holds_back_meta or self.fine_tuning_epochs(settings) > 0
        return settings[HELD_BACK.name] if holds_back else 0.0

    def every_phase(self, settings: Settings) -> tuple[Phase, ...]:
        """`phases`, and the last phase on the meta set."""
        epochs = self.fine_tuning_epochs(settings)
        last = Phase("fine_tuning", epochs, Passes(training=0, meta=3))
        return self.phases(settings) + ((last,) if epochs else ())

    @property
    def own_options(self) -> tuple[Option, ...]:
        """Every option that belongs to the method."""
        file = () if self.file is None else (self.file,)
        return self.options + file + self.meta_optimizer + self.stream

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of `own_options`."""
        return tuple(option.name for option in self.own_options)

    def reads_under(self, settings: Settings) -> tuple[str, ...]:
        """The names of the options that have an effect under `settings`."""
        if self.uses_file(settings):
            return (self.file.name,)
        last = (META_BATCH_SIZE.name,) if settings.get(FINE_TUNING_EPOCHS.name) else ()
        return tuple(dict.fromkeys(self.reads + last))

    def meta_batch_size(self, settings: Settings, meta_examples: int) -> int:
        """The size of its meta batches, of a meta set of so many examples.

        By default that is the share of the training batch which `phases` states, where a step has
        passes over a meta batch, and the training batch size otherwise.
        """
        if settings[META_BATCH_SIZE.name] is not None:
            return settings[META_BATCH_SIZE.name]
        passes = [phase.passes for phase in self.phases(settings)]
        share = max((p.meta_batch for p in passes if p.meta > 0), default=1.0)
        # The margin is for shares 1/k, which are rounded.
        return max(1, min(int(settings["batch_size"] * share + 1e-9), meta_examples))

    def cost(self, settings: Settings) -> str:
        """The cost of a step in each phase: "3F, then 6F"."""
        costs = [str(phase.passes) for phase in self.every_phase(settings)]
        return ", then ".join(dict.fromkeys(costs))
