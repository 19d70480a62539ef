"""Settings of papers that Meta-Weight-Net is compared with, and of papers that follow it.

Each recipe states the published accuracies in % of the methods that this package has.
"""

from typing import Any

from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.recipe import Recipe

STEP_TIMES = "a ResNet-32 step takes 0.25 s on two CPU cores, with Meta-Weight-Net 0.8 s"
# Optimizer and preprocessing of most CIFAR experiments in these papers.
CIFAR = {
    "augment": "crop_flip",
    "batch_size": 100,
    "learning_rate": 0.1,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-4,
    "network": "resnet32",
}
# Learning to Reweight: 80 000 steps of batch 100 are 160 epochs of 49 900 images.
_L2RW = {
    **CIFAR,
    "dataset": "cifar10",
    "nesterov": False,
    "weight_decay": 2e-4,
    "epochs": 160,
    "decay_epochs": (80, 120),
    "meta_size": 1000,
    "noise_rate": 0.4,
}
# MentorNet: 39 000 steps of batch 128.
_MENTORNET = {
    **_L2RW,
    "batch_size": 128,
    "epochs": 102,
    "decay_epochs": (51, 66, 79),
    "noise": "symmetric",
}
_ARL = {
    **CIFAR,
    "dataset": "cifar10",
    "epochs": 60,
    "decay_epochs": (40, 50),
    "meta_size": 1000,
    "noise": "symmetric",
}
_CMW = {
    **CIFAR,
    "dataset": "cifar10",
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
    "cmw_warmup": 1 / 30,
}
_CMW_FEATURE = {
    **_CMW,
    "network": "preact_resnet34",
    "learning_rate": 0.1,
    "weight_decay": 1e-3,
    "epochs": 120,
    "decay_epochs": (90, 110),
    "meta_learning_rate": 1e-3,
    "cmw_warmup": 0.375,
    "cmw_ema": 0.999,
}
_CMW_DEVIATION = "; deviation: the rate falls by steps, in place of cosines that start anew"
# The weights begin at epoch 160 of 200, where the rate drops to a hundredth.
DEFERRED = "cmw_cifar10_longtail_{factor}"
_CMW_LONG_TAIL = {
    **CIFAR,
    "dataset": "cifar10",
    "meta_size": 100,
    "epochs": 200,
    "decay_epochs": (160, 180),
    "decay_factor": 0.01,
    "meta_start": 0.8,
    "weight_normalization": "sum_detached",
    "meta_learning_rate": 1e-4,
    "meta_weight_decay": 1e-5,
    "cmw_warmup": 0.8,
    "cmw_meta_set": "balanced",
}
_SHI_LONG_TAIL = {
    **CIFAR,
    "dataset": "cifar10",
    "nesterov": False,
    "imbalance": "shuffled_long_tailed",
    "meta_size": 1000,
    "epochs": 120,
    "decay_epochs": (80, 100),
    "virtual_step": "optimizer",
    "meta_learning_rate": 1e-5,
}
_L2RW_SOURCE = "Ren et al., Learning to Reweight Examples, ICML 2018, Tables 1 and 2"
_ARL_SOURCE = (
    "Shu et al., Adaptive Robust Loss (arXiv:2002.06482), schedule as in the follow-up paper; "
    "its own table prints the cross-entropy column of another noise"
)
_CMW_SOURCE = "Shu et al., CMW-Net, TPAMI 2023, README of the authors' code"


def _recipe(name: str, source: str, expected: str, settings: dict[str, Any], **options) -> Recipe:
    authors, title = (part.strip() for part in source.split(",")[:2])
    tail = f"long tail {settings.get('imbalance_factor', 1):g}"
    return Recipe(
        group=f"{authors}, {title}",
        name=name,
        title=f"{settings['dataset']}, {settings.get('noise', tail)}",
        source=source,
        expected=expected,
        cost=f"hours on a GPU; {STEP_TIMES}",
        settings=settings,
        **options,
    )


def _predecessors() -> list[Recipe]:
    return [
        _recipe(
            "l2rw_cifar10_uniform_40",
            f"{_L2RW_SOURCE}; ResNet-32 of its code; 1 000 clean images (the code's default: 100)",
            "published (WRN-28-10): baseline 67.97, L2RW 86.92",
            {**_L2RW, "noise": "uniform"},
            methods=("cross_entropy", "l2rw"),
        ),
        _recipe(
            "l2rw_cifar10_background",
            f"{_L2RW_SOURCE}; all wrong labels in one class; 10 clean images of each class",
            "published numbers not at hand",
            {**_L2RW, "noise": "background", "meta_size": 100},
            methods=("cross_entropy", "l2rw"),
        ),
        _recipe(
            "mentornet_cifar10_symmetric_40",
            "Jiang et al., MentorNet, ICML 2018, its README; 39 000 steps of batch 128",
            "published there: baseline 56.8, MentorNet PD 77.6, DD 88.7",
            _MENTORNET,
            methods=("cross_entropy", "mentornet_pd", "mentornet_dd"),
        ),
    ]


def _adaptive_robust_loss() -> list[Recipe]:
    methods = ("cross_entropy", "gce", "adaptive_gce", "meta_weight_net")
    names = ("cross-entropy", "GCE", "A-GCE", "Meta-Weight-Net")
    recipes = []
    for rate in (20, 40, 60):
        numbers = [TABLES["arl"].number(m, f"cifar10_symmetric_{rate}").mean for m in methods]
        pairs = ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
        recipes.append(
            _recipe(
                f"arl_cifar10_symmetric_{rate}",
                _ARL_SOURCE,
                f"published: {pairs}",
                {**_ARL, "noise_rate": rate / 100},
                methods=methods,
            )
        )
    return recipes


def _cmw_net() -> list[Recipe]:
    published = {
        ("symmetric", 20): (86.98, 90.46, 91.09),
        ("symmetric", 40): (77.52, 86.53, 86.91),
        ("symmetric", 60): (73.63, 82.98, 83.33),
        ("symmetric", 80): (53.82, 64.41, 64.80),
        ("asymmetric", 20): (83.60, 92.69, 93.02),
        ("asymmetric", 40): (77.85, 90.17, 92.70),
        ("feature1", 35): (78.11, 82.20, 82.27),
        ("feature2", 35): (76.65, 81.28, 81.69),
        ("feature3", 35): (76.89, 81.57, 81.52),
    }
    return [
        _recipe(
            f"cmw_cifar10_{noise}_{rate}",
            f"{_CMW_SOURCE}; Meta-Weight-Net has 1 000 clean images, which CMW-Net does without"
            + (_CMW_DEVIATION if noise.startswith("feature") else ""),
            f"published: cross-entropy {base}, Meta-Weight-Net {mwn}, CMW-Net {cmw_net}",
            {
                **(_CMW_FEATURE if noise.startswith("feature") else _CMW),
                # Their symmetric noise draws from all classes, the true one too.
                "noise": "uniform" if noise == "symmetric" else noise,
                "noise_rate": rate / 100,
            },
            methods=("cross_entropy", "meta_weight_net", "cmw_net"),
        )
        for (noise, rate), (base, mwn, cmw_net) in published.items()
    ]


def _deferred() -> list[Recipe]:
    """CMW-Net's script for a long tail."""
    published = {200: (65.68, 67.20, 72.20), 100: (70.36, 73.57, 78.85), 50: (74.81, 79.10, 82.74)}
    return [
        _recipe(
            DEFERRED.format(factor=factor),
            f"{_CMW_SOURCE}, and its script LT1.py: plain training until epoch 160 of 200, then "
            "weights, at a hundredth of the rate. CMW-Net draws its meta set from the training "
            "set, equally many of each class; Meta-Weight-Net here has 10 clean images of each. "
            "Deviation: Adam on the weight net without AMSGrad",
            f"published: cross-entropy {base}, Meta-Weight-Net {mwn} (neither deferred), CMW-Net "
            f"{cmw_net} (deferred); none of deferred Meta-Weight-Net",
            {**_CMW_LONG_TAIL, "imbalance_factor": float(factor)},
            methods=("cross_entropy", "meta_weight_net", "cmw_net"),
        )
        for factor, (base, mwn, cmw_net) in published.items()
    ]


def _re_implementation() -> list[Recipe]:
    """ShiYunyi's re-implementation of Meta-Weight-Net for a long tail."""
    return [
        _recipe(
            f"shi_cifar10_longtail_{factor}",
            "ShiYunyi, Meta-Weight-Net Code Optimization, README and main.py on GitHub: 100 meta "
            "images of each class, Adam 1e-5 on the weight net, weights not normalised, momentum "
            "and weight decay in the virtual step, rare classes drawn by the seed",
            f"published there: {own}; in the paper, under other settings: {table}",
            {**_SHI_LONG_TAIL, "imbalance_factor": float(factor)},
        )
        for factor, own, table in ((200, 68.89, 68.91), (100, 75.92, 75.21), (50, 80.43, 80.06))
    ]


OTHER_PAPER_RECIPES = (
    *_predecessors(),
    *_adaptive_robust_loss(),
    *_cmw_net(),
    *_deferred(),
    *_re_implementation(),
)
