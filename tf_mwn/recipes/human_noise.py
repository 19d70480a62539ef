"""CIFAR-10N and CIFAR-100N: labels given by people, from a file of the user."""

from typing import Any

from tf_mwn.recipes.other_papers import CIFAR, STEP_TIMES
from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.short import SHORT_RUN

_SETTINGS = {
    **SHORT_RUN,
    **CIFAR,
    "nesterov": False,
    "batch_size": 128,
    "meta_size": 1000,
    "epochs": 30,
    "decay_epochs": (18, 24),
}
_ELR_100 = {"elr_beta": 0.9, "elr_lambda": 7.0}  # of ELR's paper for CIFAR-100
_RATES = {
    "cifar10n_aggre": 9.0,
    "cifar10n_random1": 17.2,
    "cifar10n_random2": 18.1,
    "cifar10n_random3": 17.6,
    "cifar10n_worse": 40.2,
    "cifar100n": 40.2,
}


def _expected(column: str) -> str:
    """The published number of every method, and those of re-runs."""
    parts = []
    for row in TABLES["cifar_n"].rows:
        again = row.rerun(column)
        number = "" if row.numbers[column] is None else f" {row.numbers[column]}"
        if number or again:
            parts.append(f"{row.label}{number}{f', re-run {again}' if again else ''}")
    return f"published (ResNet-34, best epoch of 100): {'; '.join(parts)}"


def _recipe(name: str, rate: float) -> Recipe:
    dataset, _, label_list = name.replace("n", "", 1).partition("_")
    label_list = label_list or "noisy100"
    settings: dict[str, Any] = {**_SETTINGS, "dataset": dataset}
    return Recipe(
        group="CIFAR-N, labels given by people",
        name=name,
        title=f"{dataset}, {rate} % wrong labels: give {label_list}.npy or its folder by "
        "--label_file",
        source="Wei et al., Learning with Noisy Labels Revisited, ICLR 2022. Labels in the order "
        f"of TFDS' {dataset}: docs/data.md says how to make the file. This project's settings: "
        "ResNet-32, 30 epochs, the rate divided at 60 and 80 %, 1 000 clean meta images",
        expected=_expected(name),
        cost=f"11 500 steps of batch 128; {STEP_TIMES}",
        settings=settings | (_ELR_100 if dataset == "cifar100" else {}),
        methods=("cross_entropy", "elr", "robust"),
        label_list=label_list,
    )


HUMAN_NOISE_RECIPES = tuple(_recipe(name, rate) for name, rate in _RATES.items())
