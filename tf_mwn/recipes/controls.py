"""Controls of the gains that Meta-Weight-Net's paper reports: do they come from learned weights?"""

from typing import Any

from tf_mwn.recipes.other_papers import DEFERRED
from tf_mwn.recipes.published import TABLES
from tf_mwn.recipes.table import Number, Row, Table

_TAIL, _FLIP, _HUMAN = "cifar10_longtail_100", "cifar10_flip2_40", "cifar10n_random1"
_TABLE_OF = {_TAIL: "1", _FLIP: "3", _HUMAN: "cifar_n"}
# The cells, in the order in which a budget of time takes them: what decides first.
_CELLS = (
    (_TAIL, "cross_entropy posthoc_logit_adjustment meta_weight_net_frozen robust logit_adjusted"),
    (_TAIL, "meta_weight_net meta_weight_net_equations"),
    (_FLIP, "cross_entropy robust"),
    (_HUMAN, "cross_entropy robust"),
    (_TAIL, "meta_weight_net_deferred fine_tuning clean_added class_balanced meta_weight_net_fast"),
    (_FLIP, "fine_tuning meta_weight_net_fast"),
    (_HUMAN, "elr"),
    (_TAIL, "cross_entropy_deferred"),
    (_FLIP, "clean_added elr meta_weight_net"),
)
_ORDER = tuple((column, label) for column, labels in _CELLS for label in labels.split())
_MENON = {  # the authors' schedule
    "logit_adjusted": Number(77.89),
    "posthoc_logit_adjustment": Number(77.32),
}


def _published(label: str, column: str) -> tuple[Number | None, dict[str, float]]:
    """The number of a cell in the published tables, and its re-runs."""
    table = TABLES[_TABLE_OF[column]]
    if label in {row.label for row in table.rows}:
        row = table.row(label, column)
        return row.numbers[column], dict(row.reruns.get(column, {}))
    return _MENON.get(label), {}


def _row(label: str, method: str = "", *columns: str, **options: Any) -> Row:
    """A row of those columns, or of all in which the label stands in `_CELLS`."""
    columns = columns or tuple(column for column, other in _ORDER if other == label)
    found = {column: _published(label, column) for column in columns}
    numbers = {column: number for column, (number, _) in found.items()}
    reruns = {column: again for column, (_, again) in found.items() if again}
    return Row(label, method or label, numbers=numbers, reruns=reruns, **options)


CONTROLS = Table(
    title="controls of Meta-Weight-Net's gains, CIFAR-10, ResNet-32",
    source=(
        f"{TABLES['1'].source} and 3; logit adjustment: Menon et al., ICLR 2021, "
        "https://arxiv.org/abs/2007.07314, another schedule; CIFAR-10N: Wei et al., ICLR 2022, "
        "https://arxiv.org/abs/2110.12088, ResNet-34 and 100 epochs"
    ),
    recipes={column: TABLES[name].recipes[column] for column, name in _TABLE_OF.items()},
    rows=(
        # One run has both numbers of the long tail: post hoc adjustment trains plainly.
        _row("cross_entropy", "posthoc_logit_adjustment", _TAIL, reading="uncorrected"),
        _row("cross_entropy", "", _FLIP, _HUMAN),
        _row("posthoc_logit_adjustment"),
        _row("logit_adjusted"),
        _row("robust"),
        _row("meta_weight_net"),
        _row(
            "meta_weight_net_equations",
            "meta_weight_net",
            settings={"detach_loss": True, "weight_normalization": "none"},
        ),
        _row("meta_weight_net_frozen", "meta_weight_net", settings={"meta_learning_rate": 0.0}),
        _row("meta_weight_net_fast", "meta_weight_net", settings={"speed": "fast"}),
        _row("meta_weight_net_deferred", "meta_weight_net", recipe=DEFERRED.format(factor=100)),
        _row("cross_entropy_deferred", "cross_entropy", recipe=DEFERRED.format(factor=100)),
        _row("fine_tuning"),
        _row("clean_added"),
        _row("class_balanced"),
        _row("elr"),
    ),
    order=_ORDER,
    notes=(
        "meta_weight_net has the settings of the authors' script: under a long tail the gradient "
        "of the virtual step flows through V's input, and the weights are divided by their batch "
        "sum. meta_weight_net_equations has the paper's equations: V's input held constant, the "
        "mean of weight times loss. meta_weight_net_frozen is the script with V as drawn. The "
        "deferred rows train 200 epochs; the rate falls to a hundredth at epoch 160, where the "
        "weights begin. Under the long tail cross_entropy is read from the run of "
        "posthoc_logit_adjustment, which trains plainly: its predictions before the correction."
    ),
)
