"""Published tables: their numbers."""

import pytest

from tf_mwn.recipes.controls import CONTROLS
from tf_mwn.recipes.experiment import RECIPES
from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.table import Number


@pytest.mark.parametrize(
    ("table", "row", "column", "number"),
    [
        ("1", "meta_weight_net", "cifar10_longtail_200", Number(68.91)),
        ("1", "class_balanced", "cifar100_longtail_1", Number(70.50)),
        ("2", "cross_entropy", "cifar10_uniform_60", Number(53.12, 3.03)),
        ("2", "self_paced", "cifar100_uniform_0", Number(59.79, 0.46)),
        ("3", "glc", "cifar10_flip2_40", Number(88.92, 0.24)),
        ("3", "meta_weight_net", "cifar100_flip2_40", Number(58.64, 0.47)),
        ("ablation", "1-10-10-10-1", "cifar100_longtail_100", Number(42.31)),
        ("ablation", "1-50-1", "cifar10_flip2_40", Number(87.38)),
        ("arl", "adaptive_gce", "cifar10_symmetric_40", Number(86.36)),
        ("arl", "gce", "cifar100_flip2_20", Number(62.07)),
        ("cifar_n", "cross_entropy", "cifar10n_worse", Number(77.69, 1.55)),
        ("cifar_n", "gce", "cifar100n", Number(56.73, 0.30)),
        ("cifar_n", "elr", "cifar10n_aggre", Number(92.38, 0.64)),
        ("cifar_n", "elr", "cifar10n_worse", Number(83.58, 1.13)),
        ("cifar_n", "elr", "cifar100n", Number(58.94, 0.92)),
        ("controls", "elr", "cifar10n_random1", Number(91.46, 0.38)),
        ("cifar_n", "robust", "cifar10n_aggre", None),
        ("clothing1m", "meta_weight_net", "clothing1m", Number(73.72)),
    ],
)
def test_published_numbers(table, row, column, number):
    assert (TABLES | {"controls": CONTROLS})[table].number(row, column) == number


def test_re_runs_stand_beside_the_published_numbers():
    row = TABLES["1"].row("meta_weight_net", "cifar10_longtail_100")
    assert row.rerun("cifar10_longtail_100") == "73.57 (CMW-Net's authors), 77.73 (Betty)"
    assert row.rerun("cifar10_longtail_20") == ""
    expected = RECIPES["mwn_table1_cifar10_longtail_100"].expected
    assert "75.21; re-run by others: base model 71.36" in expected
    assert "Meta-Weight-Net 73.57" in expected
