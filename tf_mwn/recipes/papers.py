"""The settings of the Meta-Weight-Net paper, with its published numbers.

They take hours on a GPU and days on a CPU. If the sources disagree, the source line of a recipe
says what was chosen. Published numbers are accuracies in % at the best test epoch, unless said
otherwise; a run reports the last epoch too.
"""

from typing import Any

from tf_mwn.recipes.other_papers import CIFAR, OTHER_PAPER_RECIPES, STEP_TIMES
from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.table import Table

_MWN = "Shu et al., Meta-Weight-Net, NeurIPS 2019"
# The tables are from the 2019 scripts: weights divided by their batch sum, SGD on the weight net.
_SCRIPTS_2019 = {"weight_normalization": "sum", "meta_optimizer": "sgd", "meta_weight_decay": 5e-4}
_CHOICES_2019 = (
    "settings of the 2019 scripts: weights divided by their batch sum (the paper's equation: "
    "--weight_normalization=none), SGD on the weight net (the 2020 re-release: Adam 1e-3, weight "
    "decay 1e-4)"
)
_LONG_TAIL = {**CIFAR, **_SCRIPTS_2019, "epochs": 100, "decay_epochs": (80, 90)}
_LONG_TAIL |= {"meta_learning_rate": 1e-5, "detach_loss": False}
_UNIFORM = {**CIFAR, **_SCRIPTS_2019, "network": "wrn_28_10", "epochs": 40}
_UNIFORM |= {"decay_epochs": (36, 38), "meta_size": 1000, "noise": "uniform"}
_FLIP = {**CIFAR, **_SCRIPTS_2019, "epochs": 60, "decay_epochs": (40, 50)}
_FLIP |= {"meta_size": 1000, "noise": "flip2"}


def _published(table: Table, column: str, base_name: str = "base model") -> str:
    names = {"cross_entropy": base_name, "meta_weight_net": "Meta-Weight-Net"}
    numbers = [f"{name} {table.number(row, column).mean}" for row, name in names.items()]
    reruns = {name: table.row(row, column).rerun(column) for row, name in names.items()}
    again = [f"{name} {found}" for name, found in reruns.items() if found]
    text = f"published: {', '.join(numbers)}"
    return f"{text}; re-run by others: {', '.join(again)}" if again else text


def _long_tail_choices(bias: str) -> str:
    """What the class-imbalance script does unlike the paper, and this package unlike the script."""
    if bias != "longtail":
        return ""
    return (
        "; in the virtual step the gradient flows through V's input (the paper's: --detach_loss); "
        "Nesterov momentum for both optimizers; meta images augmented like training images; the "
        "rate falls after 80 and 90 epochs (the script's virtual step there, its optimizer one "
        "epoch earlier)"
    )


def _settings(bias: str, dataset: str, value: int) -> dict[str, Any]:
    """Settings of a column of the Meta-Weight-Net tables; `value` is the factor or percentage."""
    if bias == "longtail":
        meta_size = 100 if dataset == "cifar10" else 1000  # 10 of each class
        extra = {"imbalance_factor": float(value), "meta_size": meta_size}
        return {**_LONG_TAIL, "dataset": dataset, **extra}
    base = _UNIFORM if bias == "uniform" else _FLIP
    return {**base, "dataset": dataset, "noise_rate": value / 100}


def _table(number: int, cost: str) -> list[Recipe]:
    """One recipe per column of a table of the Meta-Weight-Net paper."""
    table, recipes = TABLES[str(number)], []
    for column in table.columns:
        dataset, bias, value = column.split("_")
        recipes.append(
            Recipe(
                group=f"Meta-Weight-Net, Table {number}",
                name=table.recipes[column],
                title=f"{dataset}, {bias} {value}{'' if bias == 'longtail' else ' %'}",
                source=f"{_MWN}, Table {number}; {_CHOICES_2019}{_long_tail_choices(bias)}",
                expected=_published(table, column),
                cost=cost,
                settings=_settings(bias, dataset, int(value)),
            )
        )
    return recipes


def _ablation() -> list[Recipe]:
    """The recipes of the ablation of the weight net's architecture, one per column."""
    table, recipes = TABLES["ablation"], []
    for column in table.columns:
        dataset, bias, value = column.split("_")
        pairs = ", ".join(f"{row.label} {row.numbers[column].mean}" for row in table.rows)
        recipes.append(
            Recipe(
                group="Meta-Weight-Net, ablation of the weight net",
                name=table.recipes[column],
                title=f"{dataset}, {bias} {value}; a net by --weight_net_units=100,100",
                source=f"{_MWN}, supplement; {_CHOICES_2019}",
                expected=f"published: {pairs}",
                cost=f"as the table's; {STEP_TIMES}",
                settings=_settings(bias, dataset, int(value)),
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
    expected=_published(TABLES["clothing1m"], "clothing1m", "cross-entropy"),
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
    *_table(1, f"100 epochs; {STEP_TIMES}"),
    *_table(2, "40 epochs of WRN-28-10: about 6 hours on one GPU"),
    *_table(3, f"29 400 steps; {STEP_TIMES}"),
    *_ablation(),
    _CLOTHING1M,
    *OTHER_PAPER_RECIPES,
)
