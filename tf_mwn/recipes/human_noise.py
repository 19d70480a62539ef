"""CIFAR-10N and CIFAR-100N: labels given by people, from a file of the user."""

from tf_mwn.recipes.other_papers import CIFAR, STEP_TIMES
from tf_mwn.recipes.recipe import Recipe

_SETTINGS = {
    **CIFAR,
    "nesterov": False,
    "batch_size": 128,
    "meta_size": 1000,
    "epochs": 30,
    "decay_epochs": (18, 24),
}
_SOURCE = (
    "Wei et al., Learning with Noisy Labels Revisited, ICLR 2022; TFDS' {dataset} and the list of "
    "labels, in TFDS' order, by --label_file=FILE or its folder (docs/data.md); this project's "
    "ResNet-32 and 30 epochs, for ResNet-34 and 100"
)


def _recipe(name: str, dataset: str, label_list: str, rate: str) -> Recipe:
    return Recipe(
        group="CIFAR-N, labels given by people",
        name=name,
        title=f"{dataset}, labels of {label_list}, {rate} % of them wrong",
        source=_SOURCE.format(dataset=dataset),
        expected="not measured yet",
        cost=f"12 000 steps; {STEP_TIMES}",
        settings={**_SETTINGS, "dataset": dataset},
        methods=("cross_entropy", "elr", "robust"),
        label_list=label_list,
    )


HUMAN_NOISE_RECIPES = (_recipe("cifar10n_random1", "cifar10", "random1", "17.2"),)
