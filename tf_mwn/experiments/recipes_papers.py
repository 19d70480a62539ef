"""The settings of the Meta-Weight-Net paper, with their published numbers.

Hours on a GPU, days on a CPU.

Where the sources disagree, each source line says what was chosen. Published numbers are accuracies
in %, and the best test epoch unless said otherwise; a run reports the last epoch as well.
"""

from collections.abc import Mapping
from typing import Any

from tf_mwn.experiments.recipe import Recipe
from tf_mwn.experiments.recipes_other_papers import CIFAR, OTHER_PAPER_RECIPES, STEP_TIMES

_MWN = "Shu et al., Meta-Weight-Net, NeurIPS 2019"
# The 2019 scripts that made the tables: weights divided by their batch sum, SGD on the weight net.
_SCRIPTS_2019 = {
    "weight_normalization": "sum",
    "meta_optimizer": "sgd",
    "meta_weight_decay": 5e-4,
}
_CHOICES_2019 = (
    "settings of the 2019 scripts: weights divided by their batch sum (the paper's equation: "
    "--weight_normalization=none), SGD on the weight net (the 2020 re-release: Adam 1e-3, weight "
    "decay 1e-4)"
)
_LONG_TAIL = {**CIFAR, **_SCRIPTS_2019, "epochs": 100, "decay_epochs": (80, 90)}
_LONG_TAIL["meta_learning_rate"] = 1e-5
_UNIFORM = {**CIFAR, **_SCRIPTS_2019, "network": "wrn_28_10", "epochs": 40}
_UNIFORM |= {"decay_epochs": (36, 38), "meta_size": 1000, "noise": "uniform"}
_FLIP = {**CIFAR, **_SCRIPTS_2019, "epochs": 60, "decay_epochs": (40, 50)}
_FLIP |= {"meta_size": 1000, "noise": "flip2"}

# Published (base model, Meta-Weight-Net) by data set, then by imbalance factor or noise rate.
_TABLE_1 = {
    "cifar10": {
        200: (65.68, 68.91),
        100: (70.36, 75.21),
        50: (74.81, 80.06),
        20: (82.23, 84.94),
        10: (86.39, 87.84),
        1: (92.89, 92.66),
    },
    "cifar100": {
        200: (34.84, 37.91),
        100: (38.32, 42.09),
        50: (43.85, 46.74),
        20: (51.14, 54.37),
        10: (55.71, 58.46),
        1: (70.50, 70.37),
    },
}
_TABLE_2 = {
    "cifar10": {0: (95.60, 94.52), 40: (68.07, 89.27), 60: (53.12, 84.07)},
    "cifar100": {0: (79.95, 78.76), 40: (51.11, 67.73), 60: (30.92, 58.75)},
}
_TABLE_3 = {
    "cifar10": {0: (92.89, 92.04), 20: (76.83, 90.33), 40: (70.77, 87.54)},
    "cifar100": {0: (70.50, 70.11), 20: (50.86, 64.22), 40: (43.01, 58.64)},
}
_ABLATION_NETS = ("1-50-1", "1-100-1", "1-200-1", "1-100-100-1", "1-10-10-1", "1-10-10-10-1")
# Published accuracy of six weight nets, in the order of `_ABLATION_NETS`.
_ABLATION = {
    ("cifar10", "longtail_100"): (73.50, 75.21, 74.70, 75.01, 74.71, 74.96),
    ("cifar100", "longtail_100"): (41.87, 42.09, 41.72, 41.97, 41.94, 42.31),
    ("cifar10", "uniform_40"): (89.01, 89.27, 89.58, 89.09, 89.10, 88.82),
    ("cifar100", "uniform_40"): (67.63, 67.73, 67.84, 66.48, 66.53, 66.67),
    ("cifar10", "flip2_40"): (87.38, 87.54, 87.74, 87.28, 87.58, 87.36),
    ("cifar100", "flip2_40"): (57.83, 58.64, 58.41, 57.39, 57.11, 57.29),
}


def _published(base: float, ours: float, base_name: str = "base model") -> str:
    return f"published: {base_name} {base}, Meta-Weight-Net {ours}"


def _settings(bias: str, dataset: str, value: int) -> dict[str, Any]:
    """Settings of one column of the Meta-Weight-Net tables: bias by name, factor or percentage."""
    if bias == "longtail":
        meta_size = 100 if dataset == "cifar10" else 1000  # 10 of each class
        extra = {"imbalance_factor": float(value), "meta_size": meta_size}
        return {**_LONG_TAIL, "dataset": dataset, **extra}
    base = _UNIFORM if bias == "uniform" else _FLIP
    return {**base, "dataset": dataset, "noise_rate": value / 100}


def _table(
    number: int, bias: str, columns: Mapping[str, Mapping[int, tuple[float, float]]], cost: str
) -> list[Recipe]:
    """One recipe per column of a table of the Meta-Weight-Net paper."""
    return [
        Recipe(
            group=f"Meta-Weight-Net, Table {number}",
            name=f"mwn_table{number}_{dataset}_{bias}_{value}",
            title=f"{dataset}, {bias} {value}{'' if bias == 'longtail' else ' %'}",
            source=f"{_MWN}, Table {number}; {_CHOICES_2019}",
            expected=_published(*numbers),
            cost=cost,
            settings=_settings(bias, dataset, value),
        )
        for dataset, column in columns.items()
        for value, numbers in column.items()
    ]


def _ablation() -> list[Recipe]:
    """The weight net's architecture, on the three biases."""
    recipes = []
    for (dataset, bias), numbers in _ABLATION.items():
        kind, value = bias.split("_")
        pairs = ", ".join(f"{n} {x}" for n, x in zip(_ABLATION_NETS, numbers, strict=True))
        recipes.append(
            Recipe(
                group="Meta-Weight-Net, ablation of the weight net",
                name=f"mwn_ablation_{dataset}_{bias}",
                title=f"{dataset}, {kind} {value}; a net by --weight_net_units=100,100",
                source=f"{_MWN}, supplement; {_CHOICES_2019}",
                expected=f"published: {pairs}",
                cost=f"as the table's; {STEP_TIMES}",
                settings=_settings(kind, dataset, int(value)),
                methods=("meta_weight_net",),
            )
        )
    return recipes


_CLOTHING1M = Recipe(
    group="Meta-Weight-Net, Clothing1M",
    name="mwn_clothing1m",
    title="Clothing1M, real noisy labels: give its folder by --dataset=FOLDER",
    source=(
        f"{_MWN}, section 4.3; ResNet-50 with ImageNet weights, 7 000 of the clean validation "
        "images as meta set. Deviation: training crops are central, 224 of 256, not random"
    ),
    expected="published: cross-entropy 68.94, Meta-Weight-Net 73.72",
    cost="about 12 hours on one GPU",
    files=(
        "Clothing1M's folder: images/, noisy_train_key_list.txt, clean_val_key_list.txt, "
        "clean_test_key_list.txt, noisy_label_kv.txt, clean_label_kv.txt"
    ),
    settings={
        "dataset": "clothing1m",
        "image_size": 224,
        "network": "applications/ResNet50",
        "network_weights": "imagenet",
        "meta_size": 7000,
        "epochs": 10,
        "batch_size": 32,
        "learning_rate": 0.01,
        "decay_epochs": (5,),
        "weight_decay": 1e-3,
        "meta_learning_rate": 1e-3,
    },
)

PAPER_RECIPES = (
    *_table(1, "longtail", _TABLE_1, f"100 epochs; {STEP_TIMES}"),
    *_table(2, "uniform", _TABLE_2, "40 epochs of WRN-28-10: about 6 hours on one GPU"),
    *_table(3, "flip2", _TABLE_3, f"29 400 steps; {STEP_TIMES}"),
    *_ablation(),
    _CLOTHING1M,
    *OTHER_PAPER_RECIPES,
)
