"""The papers' own settings, with their published numbers. Hours on a GPU, days on a CPU.

Where the sources disagree, each source line says what was chosen. Published numbers are accuracies
in %, and the best test epoch unless said otherwise; a run reports the last epoch as well.
"""

from collections.abc import Mapping
from typing import Any

from tf_mwn.experiments.recipe import Recipe

_MWN = "Shu et al., Meta-Weight-Net, NeurIPS 2019"
_STEPS = "on two CPU cores a ResNet-32 step takes about 0.4 s, with Meta-Weight-Net 1.2 s"
# Optimizer and preprocessing of all CIFAR experiments of the Meta-Weight-Net paper.
_CIFAR = {
    "augment": "crop_flip",
    "batch_size": 100,
    "learning_rate": 0.1,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-4,
    "network": "resnet32",
}
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
_LONG_TAIL = {**_CIFAR, **_SCRIPTS_2019, "epochs": 100, "decay_epochs": (80, 90)}
_LONG_TAIL["meta_learning_rate"] = 1e-5
_UNIFORM = {**_CIFAR, **_SCRIPTS_2019, "network": "wrn_28_10", "epochs": 40}
_UNIFORM |= {"decay_epochs": (36, 38), "meta_size": 1000, "noise": "uniform"}
_FLIP = {**_CIFAR, **_SCRIPTS_2019, "epochs": 60, "decay_epochs": (40, 50)}
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
                cost=f"as the table's; {_STEPS}",
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

# Learning to Reweight: 80 000 steps of batch 100 are 160 epochs of 49 900 images.
_L2RW = {
    **_CIFAR,
    "nesterov": False,
    "weight_decay": 2e-4,
    "epochs": 160,
    "decay_epochs": (80, 120),
    "meta_size": 1000,
}


def _others() -> list[Recipe]:
    """Settings of the papers Meta-Weight-Net is compared with or that follow it."""
    cmw_noise = {
        **_CIFAR,
        "network": "preact_resnet18",
        "nesterov": False,
        "batch_size": 128,
        "learning_rate": 0.02,
        "epochs": 300,
        "decay_epochs": (150,),
        "meta_size": 1000,
        "meta_learning_rate": 1e-4,
        "meta_weight_decay": 1e-4,
        "meta_interval": 10,
    }
    cost = "hours on a GPU; " + _STEPS
    l2rw = "Ren et al., Learning to Reweight Examples, ICML 2018, Tables 1 and 2"
    arl = "Shu et al., Adaptive Robust Loss (arXiv:2002.06482), schedule as in the follow-up paper"
    cmw = "Shu et al., CMW-Net, TPAMI 2023, README of the authors' code"
    rows = [
        (
            "l2rw_cifar10_uniform_40",
            f"{l2rw}; ResNet-32 of its code; 1 000 clean images (its code's default is 100)",
            "published (WRN-28-10): baseline 67.97, L2RW 86.92",
            {**_L2RW, "dataset": "cifar10", "noise": "uniform", "noise_rate": 0.4},
        ),
        (
            "l2rw_cifar10_background",
            f"{l2rw}; all wrong labels in one class; 10 clean images of each class",
            "published numbers not at hand",
            {**_L2RW, "dataset": "cifar10", "noise": "background", "noise_rate": 0.4}
            | {"meta_size": 100},
        ),
        (
            "mentornet_cifar10_symmetric_40",
            "Jiang et al., MentorNet, ICML 2018, its README; 39 000 steps of batch 128",
            "published there: baseline 56.8, MentorNet PD 77.6, DD 88.7",
            {**_CIFAR, "dataset": "cifar10", "noise": "symmetric", "noise_rate": 0.4}
            | {"batch_size": 128, "epochs": 102, "decay_epochs": (51, 66, 79)}
            | {"weight_decay": 2e-4, "nesterov": False, "meta_size": 1000},
        ),
    ]
    rows += [
        (
            f"arl_cifar10_symmetric_{rate}",
            f"{arl}; ResNet-32; its own table prints the cross-entropy column of another noise",
            f"published: cross-entropy {base}, GCE {gce}, A-GCE {a_gce}, Meta-Weight-Net {mwn}",
            {**_FLIP, "dataset": "cifar10", "noise": "symmetric", "noise_rate": rate / 100},
        )
        for rate, base, gce, a_gce, mwn in (
            (20, 76.83, 88.51, 89.07, 89.19),
            (40, 70.77, 85.48, 86.36, 86.10),
            (60, 63.21, 81.09, 81.64, 81.31),
        )
    ]
    rows += [
        (
            f"cmw_cifar10_{kind}_{rate}",
            f"{cmw}; meta set of 1 000 clean images, which CMW-Net itself does without",
            f"published: cross-entropy {base}, Meta-Weight-Net {mwn}, CMW-Net {cmw_net}",
            {**cmw_noise, "dataset": "cifar10", "noise": kind, "noise_rate": rate / 100},
        )
        for kind, rate, base, mwn, cmw_net in (
            ("symmetric", 20, 86.98, 90.46, 91.09),
            ("symmetric", 40, 77.52, 86.53, 86.91),
            ("symmetric", 60, 73.63, 82.98, 83.33),
            ("symmetric", 80, 53.82, 64.41, 64.80),
            ("asymmetric", 20, 83.60, 92.69, 93.02),
            ("asymmetric", 40, 77.85, 90.17, 92.70),
        )
    ]
    rows += [
        (
            f"cmw_cifar10_feature{kind}_{rate}",
            f"{cmw}; the noise follows a model of type {'I' * kind} trained on the spot",
            f"published: cross-entropy {base}, Meta-Weight-Net {mwn}, CMW-Net {cmw_net}",
            {**cmw_noise, "dataset": "cifar10", "noise": f"feature{kind}"}
            | {"noise_rate": rate / 100, "network": "preact_resnet34", "learning_rate": 0.1}
            | {"weight_decay": 1e-3, "epochs": 120, "decay_epochs": (), "meta_learning_rate": 1e-3},
        )
        for kind, rate, base, mwn, cmw_net in (
            (1, 35, 78.11, 82.20, 82.27),
            (2, 35, 76.65, 81.28, 81.69),
            (3, 35, 76.89, 81.57, 81.52),
        )
    ]
    rows.append(
        (
            "cmw_cifar10_longtail_100",
            f"{cmw}; meta set of 10 clean images of each class, which CMW-Net does without",
            "published: cross-entropy 70.36, Meta-Weight-Net 73.57, CMW-Net 78.85",
            {**_CIFAR, "dataset": "cifar10", "imbalance_factor": 100.0, "meta_size": 100}
            | {"epochs": 200, "decay_epochs": (160, 180), "decay_factor": 0.01}
            | {"weight_normalization": "sum_detached", "meta_learning_rate": 1e-4},
        )
    )
    return [
        Recipe(
            group=source.split(",")[0] + ", " + source.split(",")[1].strip(),
            name=name,
            title=f"{settings['dataset']}, {settings.get('noise', 'long tail')}",
            source=source,
            expected=expected,
            cost=cost,
            settings=settings,
        )
        for name, source, expected, settings in rows
    ]


PAPER_RECIPES = (
    *_table(1, "longtail", _TABLE_1, f"100 epochs; {_STEPS}"),
    *_table(2, "uniform", _TABLE_2, "40 epochs of WRN-28-10: about 6 hours on one GPU"),
    *_table(3, "flip2", _TABLE_3, f"29 400 steps; {_STEPS}"),
    *_ablation(),
    _CLOTHING1M,
    *_others(),
)
