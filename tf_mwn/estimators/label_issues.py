"""Labels that look wrong to classifiers which have not seen them."""

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich import get_console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sklearn.model_selection import StratifiedKFold, check_cv

from tf_mwn.auditing.audit import audit_logits
from tf_mwn.auditing.result import Audit
from tf_mwn.checks import check_count
from tf_mwn.estimators.training import Labelled, Plan, adjustment_of, facts_of, train
from tf_mwn.training.robust_model import RobustModel

Fold = tuple[np.ndarray, np.ndarray]


def cross_audit(
    plan: Plan,
    data: Labelled,
    meta: Labelled | None,
    class_names: np.ndarray,
    cv: Any,
    shows_progress: bool,
) -> Audit:
    """The audit of N labels by classifiers that were trained without them.

    A new classifier is trained for each fold, on the other folds. If the method trains the
    classifier on the meta set, the meta set is divided in the same way, so that the temperature,
    the transition matrix and the planted errors come from clean examples that are new to the
    classifier too.

    Args:
        plan: how each classifier is trained.
        data: the N examples.
        meta: M clean examples, or None.
        class_names: C names.
        cv: number of folds, or a splitter of scikit-learn that holds out each row once.
        shows_progress: whether a bar is shown on a terminal.

    Raises:
        ValueError: folds that leave out a row, or hold it out twice.
    """
    classes, folds = len(class_names), _folds(cv, data.codes, plan.seed)
    meta_folds = [None] * len(folds) if meta is None else _meta_folds(plan, meta, len(folds))
    logits = np.zeros((len(data.codes), classes), np.float32)
    weights = np.zeros(len(data.codes), np.float32)
    meta_logits = None if meta is None else np.zeros((len(meta.codes), classes), np.float32)
    with _bar(shows_progress) as callbacks:
        for (rest, held_out), clean in zip(folds, meta_folds, strict=True):
            known = None if clean is None else meta.rows(clean[0])
            model, _ = train(plan, data.rows(rest), known, classes, callbacks(len(folds)))
            judged = data.rows(held_out)
            logits[held_out] = logits_of(model, judged.inputs)
            if plan.weighs_new_examples:
                weights[held_out] = _weights(model, judged.codes, logits[held_out])
            if clean is not None and len(clean[1]):
                meta_logits[clean[1]] = logits_of(model, meta.rows(clean[1]).inputs)
    adjustment = adjustment_of(plan, facts_of(plan, data.codes, classes, 1))
    return audit_logits(
        logits,
        data.codes,
        data.inputs,
        np.arange(len(data.codes)),
        weights if plan.weighs_new_examples else None,
        None if meta is None else (meta_logits, meta.codes),
        class_names=class_names,
        offset=adjustment.offset if adjustment else 0.0,
    )


def table(audit: Audit, classes: np.ndarray, index: Any = None):
    """The suspects of an audit, worst first.

    Args:
        audit: of N labels.
        classes: [C] the labels as the user writes them.
        index: [N] of the user's own table, or None.

    Returns:
        Columns "row", "given", "suggested", "trust" and "weight": a DataFrame if pandas is
        installed, otherwise a structured array. "suggested" is None if the classifier is too weak
        to judge, "weight" NaN if the method gives none.
    """
    rows = audit.suspects
    none = np.full(len(rows), None, object)
    columns = {
        "row": rows,
        "given": classes[audit.label[rows]],
        "suggested": none if audit.suggested is None else classes[audit.suggested[rows]],
        "trust": audit.trust[rows],
        "weight": np.full(len(rows), np.nan) if audit.weight is None else audit.weight[rows],
    }
    if importlib.util.find_spec("pandas") is not None:
        import pandas

        return pandas.DataFrame(columns, index=None if index is None else index[rows])
    found = np.empty(len(rows), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        found[name] = values
    return found


def logits_of(model: RobustModel, inputs: Any, batch_size: int = 500) -> np.ndarray:
    """Logits [N, C] in float32."""
    batches = tf.data.Dataset.from_tensor_slices(inputs).batch(batch_size)
    return model.predict(batches, verbose=0).astype(np.float32)


def _weights(model: RobustModel, codes: np.ndarray, logits: np.ndarray) -> np.ndarray:
    to_tensor = keras.ops.convert_to_tensor
    return keras.ops.convert_to_numpy(model.sample_weight(to_tensor(codes), to_tensor(logits)))


def _folds(cv: Any, codes: np.ndarray, seed: int) -> list[Fold]:
    if isinstance(cv, int):
        check_count("cv", cv, 2, len(codes))
        cv = StratifiedKFold(cv, shuffle=True, random_state=seed)
    folds = list(check_cv(cv, codes, classifier=True).split(np.zeros(len(codes)), codes))
    times = np.bincount(np.concatenate([held_out for _, held_out in folds]), minlength=len(codes))
    if (times != 1).any():
        raise ValueError(
            "cv: expected folds that hold out each row once, received row "
            f"{int(np.argmax(times != 1))} held out {int(times[times != 1][0])} times"
        )
    return folds


def _meta_folds(plan: Plan, meta: Labelled, number: int) -> list[Fold]:
    """For each fold the clean examples that it may train on, and those that it judges."""
    # Not by StratifiedKFold, which refuses more folds than the largest class has examples.
    shuffled = np.random.default_rng(plan.seed).permutation(len(meta.codes))
    order = shuffled[np.argsort(meta.codes[shuffled], kind="stable")]
    fold_of = np.empty(len(order), int)
    fold_of[order] = np.arange(len(order)) % number
    judged = [fold_of == fold for fold in range(number)]
    known = [~of_fold if plan.learns_meta_set else np.ones_like(of_fold) for of_fold in judged]
    return list(zip(map(np.flatnonzero, known), map(np.flatnonzero, judged), strict=True))


@contextlib.contextmanager
def _bar(is_shown: bool) -> Iterator[Any]:
    """A function of the number of trainings that returns the callbacks of the next one."""
    console = get_console()
    if not is_shown or not (console.is_terminal or console.is_jupyter):
        yield lambda trainings: []
        return
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("find_label_issues", total=1)
        yield lambda trainings: [_Advance(bar, task, trainings)]


class _Advance(keras.callbacks.Callback):
    """Advances a bar over several trainings by the steps of one."""

    def __init__(self, bar: Progress, task, trainings: int):
        super().__init__()
        self._bar, self._task, self._trainings = bar, task, trainings

    def on_train_batch_end(self, batch, logs=None):
        steps = self.params["epochs"] * self.params["steps"]
        self._bar.advance(self._task, 1 / steps / self._trainings)
