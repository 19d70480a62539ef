"""Whether a method can be used for a task: for what labels and logits stand for."""

from typing import Any

from tf_mwn.engine.objective import SEES_CLASSES, SEES_LABELS, SEES_LOSSES
from tf_mwn.training.checks.losses import CLASSES, COLUMNS, LabelRange
from tf_mwn.training.checks.outputs import LogitsSpec


def check_task(model: Any, found: LabelRange, logits: LogitsSpec) -> None:
    """Refuses a method that looks at more than the task has.

    Args:
        model: a `RobustModel`.
        found: of `check_labels`.
        logits: of the classifier.

    Raises:
        ValueError: naming the method.
    """
    loss, positions = model.per_example_loss, logits.shape[:-1]
    if logits.is_masked and positions and loss.ignore_class is None:
        raise ValueError(
            "ignore_class: expected a label for outputs that stand for padding, which the "
            "classifier's layers mask, received none; give them the label -1, say, and pass "
            "ignore_class=-1 to compile"
        )
    if model.logit_adjustment is not None and found.kind != CLASSES:
        raise ValueError(
            f"{model.method_name}: expected logit_adjustment=0 for {_task(found.kind, logits)} "
            f"without shares of classes, received {model.logit_adjustment.strength:g}"
        )
    check_sight(model.method_name, model.sees, logits, found.kind)
    if model.sees == SEES_CLASSES and positions and loss.weight_per == "example":
        raise ValueError(
            f"{model.method_name}: expected weight_per='output' with outputs at positions, each of "
            "which it sees by itself, received 'example'"
        )
    sizes = positions or logits.shape
    if model.training_objective.keeps_history and loss.weight_per == "output" and None in sizes:
        raise ValueError(
            f"{model.method_name}: expected outputs of a fixed number, of which it keeps a "
            "history, with weight_per='output', received logits of open length"
        )


def check_sight(name: str, sees: str, logits: LogitsSpec, kind: str = CLASSES) -> None:
    """Refuses a method that looks at classes where an output has none, or at whole examples.

    Args:
        name: of the method.
        sees: see `TrainingObjective`.
        logits: of the classifier.
        kind: of `LabelRange`.

    Raises:
        ValueError: naming the method.
    """
    positions = len(logits.shape) > 1
    if sees == SEES_LABELS and kind == CLASSES and not positions:
        return
    of_classes = kind == CLASSES and logits.classes > 1
    if sees == SEES_LOSSES or (of_classes and (sees == SEES_CLASSES or not positions)):
        return
    raise ValueError(
        f"{name}: expected logits [B, C] of two classes or more that exclude each other, received "
        f"{_task(kind, logits)}, and it looks at more than losses; docs/tasks.md has other methods"
    )


def check_sight_of(classifier: Any, name: str, sees: str) -> None:
    """As `check_sight`, as far as the outputs of a classifier tell before a loss is known."""
    outputs = getattr(classifier, "outputs", None)
    if outputs:
        check_sight(name, sees, LogitsSpec(tuple(outputs[0].shape[1:])))


def _task(kind: str, logits: LogitsSpec) -> str:
    if len(logits.shape) > 1:
        return "outputs at positions"
    if kind == COLUMNS:
        return "several labels of an example"
    if kind == CLASSES:
        return "one logit" if logits.classes == 1 else "classes"
    return "numbers of a regression"
