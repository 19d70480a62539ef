"""Short runs on small real data: minutes on two CPU cores."""

from tf_mwn.recipes.recipe import Recipe

# Settings of this project for short runs. Normalisation by the sum makes weights relative. Weight
# decay on the weight net keeps its sigmoid from saturating; a saturated one could not learn.
SHORT_RUN = {
    "network": "small_cnn",
    "weight_normalization": "sum",
    "meta_learning_rate": 3e-3,
    "meta_weight_decay": 1e-3,
}
_FASHION = {
    **SHORT_RUN,
    "dataset": "fashion_mnist",
    "train_size": 11_000,
    "validation_size": 1_000,
    "meta_size": 1_000,
    "epochs": 10,
    # Without momentum the virtual step is as long as the actual step, and 10 epochs are enough.
    "momentum": 0.0,
}
_LONG_TAIL = {"imbalance_factor": 100.0, "train_size": None, "validation_size": 0, "meta_size": 100}

SHORT_RECIPES = (
    Recipe(
        group="short runs",
        name="quickstart",
        title="handwritten digits (8x8), 40 % flip2 noise, 100 meta images",
        source="this project: the smallest real data on which memorisation shows",
        expected="cross-entropy 62.2 ± 2.3, Meta-Weight-Net 92.1 ± 3.5 (five seeds)",
        cost="under a minute",
        settings={
            **SHORT_RUN,
            "dataset": "digits",
            "noise": "flip2",
            "noise_rate": 0.4,
            "weight_decay": 1e-2,
            "epochs": 60,
        },
        methods=("cross_entropy", "meta_weight_net", "robust"),
    ),
    Recipe(
        group="short runs",
        name="rare_positives",
        title="a made table, 5 % positives, 15 % of all labels wrong, 60 meta rows",
        source="this project: noise and imbalance together, as in fraud or medical tables",
        expected="balanced: cross-entropy 72.5 ± 2.0, robust 79.9 ± 3.1 (five seeds)",
        cost="under a minute",
        settings={
            **SHORT_RUN,
            "dataset": "rare_positives",
            "network": "mlp",
            "noise": "uniform",
            "noise_rate": 0.3,
            "meta_size": 60,
            "learning_rate": 0.05,
            "epochs": 15,
        },
        methods=("cross_entropy", "meta_weight_net", "robust"),
    ),
    Recipe(
        group="short runs",
        name="cifar10_weak",
        title="CIFAR-10 (2 200 images), 30 % uniform noise, 100 meta images",
        source="this project: too few images for a good classifier",
        expected="cross-entropy 27.6 ± 1.7, robust 33.1 ± 0.7 (three seeds)",
        cost="about 2 minutes",
        settings={
            **SHORT_RUN,
            "dataset": "cifar10",
            "train_size": 2200,
            "meta_size": 100,
            "noise": "uniform",
            "noise_rate": 0.3,
            "weight_decay": 1e-2,
            "epochs": 30,
        },
        methods=("cross_entropy", "meta_weight_net", "robust"),
    ),
    Recipe(
        group="short runs",
        name="fashion_flip2_40",
        title="Fashion-MNIST (10 000 images), 40 % flip2 noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 3 on a small set",
        expected="cross-entropy 61.0 ± 1.0, Meta-Weight-Net 82.6 ± 0.1 (three seeds)",
        cost="about 1 minute",
        settings={**_FASHION, "noise": "flip2", "noise_rate": 0.4},
    ),
    Recipe(
        group="short runs",
        name="fashion_uniform_60",
        title="Fashion-MNIST (10 000 images), 60 % uniform noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 2 on a small set",
        expected="cross-entropy 60.3 ± 3.5, Meta-Weight-Net 82.2 ± 0.4 (three seeds)",
        cost="about 1 minute",
        settings={**_FASHION, "noise": "uniform", "noise_rate": 0.6},
    ),
    Recipe(
        group="short runs",
        name="fashion_longtail_100",
        title="Fashion-MNIST, long tail of factor 100, 100 meta images",
        source="this project: the imbalance of Meta-Weight-Net's Table 1 on a small set",
        expected="cross-entropy 80.9 ± 1.8, Meta-Weight-Net 80.8 ± 1.7 (three seeds)",
        cost="about 1 minute",
        settings={**_FASHION, **_LONG_TAIL},
    ),
    Recipe(
        group="short runs",
        name="cifar10_small_flip2_40",
        title="CIFAR-10 (10 000 images), 40 % flip2 noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 3 on a small set",
        expected="cross-entropy 31.5 ± 0.5, Meta-Weight-Net 42.7 ± 0.2 (three seeds)",
        cost="about 2 minutes",
        settings={**_FASHION, "dataset": "cifar10", "noise": "flip2", "noise_rate": 0.4},
    ),
    Recipe(
        group="short runs",
        name="cifar10_small_longtail_100",
        title="CIFAR-10, long tail of factor 100 (12 400 images), 100 meta images",
        source="this project: the imbalance of Meta-Weight-Net's Table 1 on a small network",
        expected="cross-entropy 36.1 ± 1.1, Meta-Weight-Net 36.4 ± 3.6 (three seeds)",
        cost="about 2 minutes",
        settings={**_FASHION, **_LONG_TAIL, "dataset": "cifar10", "augment": "crop_flip"},
    ),
)
