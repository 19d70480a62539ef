"""Controls: every row differs from Meta-Weight-Net's own by what its name says, and no more."""

from tf_mwn.methods.registry import find
from tf_mwn.recipes.controls import CONTROLS
from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.table import Number
from tf_mwn.reproduction.tables import cells

TAIL = "cifar10_longtail_100"


def configs(column):
    """The settings of the runs of a column, by label."""
    found = cells("controls", "paper", [0], columns=[column], label_file="lists/random1.npy")
    return {cell.row.label: cell.runs[0].experiment.config for cell in found}


def test_every_cell_is_in_the_order_once():
    every = [(column, row.label) for row in CONTROLS.rows for column in row.numbers]
    assert sorted(every) == sorted(CONTROLS.order) and len(set(every)) == len(every)
    named = [(cell.column.name, cell.row.label) for cell in cells("controls", "paper", [0])]
    assert named == [cell for cell in CONTROLS.order if cell[0] != "cifar10n_random1"]


def test_rows_of_meta_weight_net_differ_by_what_they_say():
    by_label = configs(TAIL)
    script = by_label["meta_weight_net"]
    assert (script.detach_loss, script.weight_normalization, script.nesterov) == (
        False,
        "sum",
        True,
    )
    assert (script.meta_optimizer, script.meta_learning_rate) == ("sgd", 1e-5)
    assert (script.augment, script.epochs, script.decay_epochs) == ("crop_flip", 100, (80, 90))
    for label, changed in {
        "meta_weight_net_equations": {"detach_loss": True, "weight_normalization": "none"},
        "meta_weight_net_frozen": {"meta_learning_rate": 0.0},
        "meta_weight_net_fast": {"speed": "fast"},
        "robust": {},
    }.items():
        assert by_label[label].differences(script) == changed, label
    (phase,) = find("meta_weight_net").phases(vars(by_label["meta_weight_net_frozen"]))
    (plain,) = find("cross_entropy").phases(vars(script))
    assert phase.passes == plain.passes
    deferred = by_label["meta_weight_net_deferred"]
    warm_up, learning = find("meta_weight_net").phases(vars(deferred))
    assert (warm_up.epochs, learning.epochs) == (160, 40)
    assert (deferred.decay_epochs[0], deferred.decay_factor) == (160, 0.01)


def test_numbers_are_those_of_the_tables_or_none():
    for label, column, table in (
        ("cross_entropy", TAIL, "1"),
        ("meta_weight_net", TAIL, "1"),
        ("cross_entropy", "cifar10_flip2_40", "3"),
    ):
        assert CONTROLS.number(label, column) == TABLES[table].number(label, column)
    assert CONTROLS.number("cross_entropy", "cifar10n_random1") == Number(85.02, 0.65)
    assert CONTROLS.row("cross_entropy", "cifar10n_random1").rerun("cifar10n_random1")
    assert CONTROLS.number("posthoc_logit_adjustment", TAIL) == Number(77.32)
    assert CONTROLS.number("robust", TAIL) is None
    assert configs("cifar10n_random1")["elr"].label_file == "lists/random1.npy"
