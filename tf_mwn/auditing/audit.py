"""The audit of a training set: the labels that a trained model contradicts."""

import logging
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.auditing.reliability import estimate_reliability
from tf_mwn.auditing.result import Audit
from tf_mwn.checks import (
    check_labels,
    check_lengths,
    check_targets,
    check_together,
    check_unique,
)
from tf_mwn.data.streams.examples import check_examples
from tf_mwn.label_noise import transition
from tf_mwn.label_noise.planted import two_logits
from tf_mwn.messages import logger
from tf_mwn.monitoring.predictions import classifier_logits
from tf_mwn.tensors import Logits, Tensor
from tf_mwn.training.classifiers import check_classifier
from tf_mwn.training.elements import check_inputs
from tf_mwn.training.robust_model import RobustModel


def audit(
    model: keras.Model,
    x: Any,
    y: Any,
    x_meta: Any = None,
    y_meta: Any = None,
    *,
    sample_id: Any = None,
    y_clean: Any = None,
    class_names: Any = None,
    batch_size: int = 500,
) -> Audit:
    """Ranks the labels that a model was trained on by how far they can be trusted.

    The trust of a label y is P(true class is y | x, y). It follows by Bayes' rule from p(class | x)
    of the classifier and an estimate of the transition matrix T: p_y T[y, y] / Σ_i p_i T[i, y]. So
    it depends on how likely the given class is, and on how often likelier classes are mistaken
    for it. p is taken from the logits that the training objective saw: a logit adjustment aims the
    classifier at other class shares than those of the training set. A clean meta set improves p and
    T: the probabilities are calibrated on it (by one temperature), and T can be estimated even if
    the classifier has memorised the labels.

    Errors planted in the meta set tell how far the audit can be believed (`Audit.reliability`). If
    the classifier is too weak to judge, the audit says so first and suggests no label.

    Args:
        model: a model of this package, or any built Keras classifier that returns logits [B, C], or
            [B, 1] of two classes.
        x: inputs as the classifier takes them: an array, or a tuple or dict of arrays, of N rows.
        y: given labels, [N] integers from 0 or [N, C] one-hot floats.
        x_meta, y_meta: clean examples that the classifier was not trained on, or None. Those that
            a last phase (`Robust`, `fine_tune`) trained on are left out.
        sample_id: [N] unique integers; row numbers by default. Methods that keep a history of each
            example need the ids of the training.
        y_clean: true labels in the forms of `y` if they are known, to compare the rankings by.
        class_names: C names; the class numbers by default.
        batch_size: examples per call of the classifier.

    Raises:
        TypeError, ValueError: the model does not return logits, or the arrays do not fit it.

    Examples:
        >>> model = tf_mwn.MetaWeightNet(classifier)
        >>> model.compile("adam")
        >>> history = model.fit(pairs, verbose=0)
        >>> found = tf_mwn.audit(model, x, y, x_meta, y_meta)
        >>> found.trust.shape
        (100,)
        >>> worst = x[found.suspects[:20]]

    See Also:
        - `RobustClassifier.find_label_issues`: the audit by classifiers that have not seen the
          labels.
        - `Health`: whether the weights of a training find wrong labels.
    """
    classifier = model.predicting_classifier if isinstance(model, RobustModel) else model
    check_classifier(classifier)
    x, targets = check_examples("x", x, "y", check_targets("y", y))
    sample_id = np.arange(len(targets)) if sample_id is None else sample_id
    sample_id = check_unique("sample_id", sample_id)
    check_lengths(y=targets, sample_id=sample_id)
    logits = _logits(classifier, x, targets, batch_size)
    weight = _weights(model, targets, logits, sample_id)
    logits = two_logits(logits)
    if y_clean is not None:
        y_clean = _classes(check_targets("y_clean", y_clean))
    meta = None
    check_together(x_meta=x_meta, y_meta=y_meta)
    if x_meta is not None:
        y_meta = check_targets("y_meta", y_meta)
        x_meta, y_meta = check_examples("x_meta", x_meta, "y_meta", y_meta)
        if isinstance(model, RobustModel):
            x_meta, y_meta = _unseen(model, x_meta, y_meta)
        if len(y_meta):
            meta = two_logits(_logits(classifier, x_meta, y_meta, batch_size)), _classes(y_meta)
    return audit_logits(
        logits,
        _classes(targets),
        x,
        sample_id,
        weight,
        meta,
        y_clean,
        class_names,
        offset=_offset(model),
    )


def audit_logits(
    logits: np.ndarray,
    label: np.ndarray,
    x: Any,
    sample_id: np.ndarray,
    weight: np.ndarray | None = None,
    meta: tuple[np.ndarray, np.ndarray] | None = None,
    clean_label: np.ndarray | None = None,
    class_names: Any = None,
    path: np.ndarray | None = None,
    offset: np.ndarray | float = 0.0,
    held_out: np.ndarray | None = None,
) -> Audit:
    """As `audit`, from logits [N, C] that are already known; `meta` is (logits, labels).

    `path` [N] are the names of the files, or None. `offset` [C] is what the training objective
    added to the logits, see `LogitAdjustment.offset`. `held_out` [N] are true for examples that the
    classifier was not trained on: they are judged like the others, but nothing is estimated from
    them.

    Raises:
        ValueError: labels are out of range, logits are not finite, or lengths differ.
    """
    from scipy.special import log_softmax, softmax

    num_classes = logits.shape[1]
    label = check_labels("y", label, num_classes)
    class_names = _names(class_names, num_classes)
    if clean_label is not None:
        clean_label = check_labels("y_clean", clean_label, num_classes)
        check_lengths(y=label, y_clean=clean_label)
    if not np.isfinite(logits).all():
        raise ValueError("model: expected finite logits, received NaN or infinity")
    logits = logits.astype(np.float64)
    seen = np.ones(len(label), bool) if held_out is None else ~held_out
    plain = log_softmax(logits, axis=1)
    if meta is not None:
        meta = meta[0].astype(np.float64), check_labels("y_meta", meta[1], num_classes)
    temperature, noise = transition.calibrated_transition(logits[seen], label[seen], meta, offset)
    calibrated = log_softmax(logits / temperature + offset, axis=1)
    scores = transition.log_posterior(calibrated, noise.matrix, label)
    shares = softmax(scores[seen], axis=1).mean(axis=0)
    reliability = None
    if meta is not None:
        clean = log_softmax(meta[0] / temperature + offset, axis=1)
        reliability = estimate_reliability(clean, meta[1], noise, shares)
    is_weak = reliability is not None and reliability.too_weak
    return Audit(
        x=x,
        sample_id=sample_id,
        label=label,
        predicted=logits.argmax(axis=1),
        suggested=None if is_weak else scores.argmax(axis=1),
        loss=-plain[np.arange(len(label)), label],
        weight=weight,
        log_odds=transition.log_odds(scores, label),
        transition_matrix=noise.matrix,
        class_shares=shares,
        matrix_from=noise.source,
        probabilities=np.exp(plain),
        class_names=class_names,
        reliability=reliability,
        clean_label=clean_label,
        path=path,
        held_out=held_out,
    )


def _logits(classifier: keras.Model, x: Any, targets: Any, batch_size: int) -> np.ndarray:
    check_inputs(classifier, x)
    return classifier_logits(classifier, x, targets, batch_size)


def _unseen(model: RobustModel, x_meta: Any, y_meta: np.ndarray) -> tuple[Any, np.ndarray]:
    """The clean examples that no last phase has trained on."""
    rows = np.flatnonzero(model.unseen(x_meta))
    if len(rows) == len(y_meta):
        return x_meta, y_meta
    logger.log(
        logging.INFO if len(rows) else logging.WARNING,
        "audit: the last phase trained on %d of the %d clean examples; the other %d are used",
        len(y_meta) - len(rows),
        len(y_meta),
        len(rows),
    )
    return tf.nest.map_structure(lambda part: np.asarray(part)[rows], (x_meta, y_meta))


def _offset(model: keras.Model) -> np.ndarray | float:
    adjustment = getattr(model, "logit_adjustment", None)
    return 0.0 if adjustment is None else adjustment.offset


def _weights(
    model: keras.Model, targets: Any, logits: Logits, sample_id: Tensor | None
) -> np.ndarray | None:
    if not isinstance(model, RobustModel):
        return None
    to_tensor = keras.ops.convert_to_tensor
    weights = model.sample_weight(to_tensor(targets), to_tensor(logits), to_tensor(sample_id))
    return None if weights is None else keras.ops.convert_to_numpy(weights)


def _classes(targets: np.ndarray) -> np.ndarray:
    return targets if targets.ndim == 1 else targets.argmax(axis=1)


def _names(class_names: Any, num_classes: int) -> tuple[str, ...]:
    names = range(num_classes) if class_names is None else class_names
    names = tuple(str(name) for name in names)
    if len(names) != num_classes:
        raise ValueError(
            f"class_names: expected {num_classes}, as many as logits, received {len(names)}"
        )
    return names
