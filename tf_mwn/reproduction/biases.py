"""The biases on which `robust` is compared, with the methods and the parts it is compared by."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tf_mwn.recipes.experiment import find
from tf_mwn.reproduction.evidence import Condition
from tf_mwn.reproduction.planned_runs import PlannedRun
from tf_mwn.reproduction.tables import holds

METHOD = "robust"
OTHERS = (
    "cross_entropy",
    "fine_tuning",
    "clean_added",
    "class_balanced",
    "gce",
    "logit_adjusted",
    "elr",
    "meta_weight_net",
)
# Each part of robust, and the settings that switch it off.
PARTS: Mapping[str, Mapping[str, Any]] = {
    "nothing": {},
    "prior correction": {"logit_adjustment": 0.0},
    "a quarter of every third batch": {"robust_meta_fraction": 1.0, "robust_meta_interval": 1},
    "the test of V": {"robust_tests_weights": False},
    "last phase": {"fine_tuning_epochs": 0},
}
ABLATION_SEEDS = 3


@dataclasses.dataclass(frozen=True)
class Bias:
    """A condition with the number of its seeds, and whether its data come from a TFDS set."""

    condition: Condition
    seeds: int
    needs_set: bool = False

    def runs(self) -> list[PlannedRun]:
        """A run of each method and seed, method by method."""
        return [run for method in (METHOD, *OTHERS) for run in self.runs_of(method)]

    def runs_of(
        self, method: str, changed: Mapping[str, Any] | None = None, seeds: int | None = None
    ) -> list[PlannedRun]:
        """A run of each seed, with some settings changed."""
        settings = {**self.condition.settings, **(changed or {})}
        first = PlannedRun.make(self.condition.recipe, settings, method, 0).experiment
        numbers = range(seeds or self.seeds)
        return [PlannedRun(dataclasses.replace(first, seeds=(seed,))) for seed in numbers]

    def without(self, part: str) -> list[PlannedRun]:
        """Runs of robust without a part."""
        return self.runs_of(METHOD, PARTS[part], ABLATION_SEEDS)


def _digits(title: str, optimizer: str, **settings) -> Bias:
    own = {"noise": "none", "noise_rate": 0.0, **settings}
    return Bias(Condition(f"digits, {title}, {optimizer}", "quickstart", own | _of(optimizer)), 5)


def _of(optimizer: str) -> dict[str, Any]:
    return {} if optimizer == "sgd" else {"optimizer": optimizer}


def _table(optimizer: str) -> Bias:
    return Bias(Condition(f"rare positives, {optimizer}", "rare_positives", _of(optimizer)), 5)


def _of_set(title: str, recipe: str, **settings) -> Bias:
    return Bias(Condition(title, recipe, settings), 3, needs_set=True)


_TEXT = {
    "dataset": "made_text",
    "network": "gru_1000",
    "noise": "uniform",
    "noise_rate": 0.4,
    "optimizer": "adam",
    "learning_rate": 3e-3,
    "weight_decay": 0.0,
    "epochs": 15,
}
BIASES = (
    *(
        bias
        for optimizer in ("sgd", "adam")
        for bias in (
            _digits("clean", optimizer),
            _digits("flip2 40 %", optimizer, noise="flip2", noise_rate=0.4),
            _digits("uniform 60 %", optimizer, noise="uniform", noise_rate=0.6),
            _digits("long tail 50", optimizer, imbalance_factor=50.0),
            _digits(
                "long tail 20, flip2 20 %",
                optimizer,
                noise="flip2",
                noise_rate=0.2,
                imbalance_factor=20.0,
            ),
            _table(optimizer),
        )
    ),
    Bias(Condition("made text, GRU, uniform 40 %", "quickstart", _TEXT), 5),
    _of_set("CIFAR-10 (2 200), uniform 30 %", "cifar10_weak"),
    _of_set("Fashion-MNIST, flip2 40 %", "fashion_flip2_40"),
    _of_set("Fashion-MNIST, uniform 60 %", "fashion_uniform_60"),
    _of_set("Fashion-MNIST, long tail 100", "fashion_longtail_100"),
    _of_set(
        "Fashion-MNIST, long tail 20, uniform 30 %",
        "fashion_longtail_100",
        imbalance_factor=20.0,
        noise="uniform",
        noise_rate=0.3,
    ),
)
_HUMAN_RECIPE = "cifar10n_random1"
_HUMAN = {
    "train_size": 20_000,
    "network": "small_cnn",
    "epochs": 15,
    "decay_epochs": (9, 12),
}


def biases(label_file: str | None = None) -> tuple[Bias, ...]:
    """The biases. That of labels given by people needs their list, or the folder of lists.

    It is left out with a list of another name, as a cell of a table is.
    """
    if label_file is None or not holds(label_file, find(_HUMAN_RECIPE).label_list):
        return BIASES
    title, settings = "CIFAR-10N random1 (20 000 images)", {**_HUMAN, "label_file": label_file}
    return (*BIASES, _of_set(title, _HUMAN_RECIPE, **settings))
