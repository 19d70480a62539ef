"""A classifier of scikit-learn's kind that is trained by any method of this package."""

from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from tf_mwn.auditing.files import believed
from tf_mwn.checks import (
    check_count,
    check_lengths,
    check_sample_weight,
    check_together,
    unknown_name,
)
from tf_mwn.data.sources.facts import TABLE
from tf_mwn.estimators import label_issues
from tf_mwn.estimators.inputs import (
    Inputs,
    check_none_missing,
    columns_of,
    index_of,
    numbers,
    other_columns,
)
from tf_mwn.estimators.training import OPTIONS, Labelled, Plan, settings_of, train
from tf_mwn.messages import logger
from tf_mwn.methods import registry
from tf_mwn.recipes.own_data import WITHOUT_CLEAN

AUTO = "auto"
# The method of "auto" and its options, with a meta set and without.
WITH_META_SET: tuple[str, dict[str, Any]] = ("robust", {})
WITHOUT = WITHOUT_CLEAN[TABLE]


class RobustClassifier(ClassifierMixin, BaseEstimator):
    """Trains a Keras network on labels that may be wrong, as an estimator of scikit-learn.

    Args:
        model: a function (X, n_classes) that returns a Keras model with `n_classes` logits, or such
            a model. Each fit has a network of its own. Of a model it is a copy with new weights, in
            which layers that are frozen or adapted to data stay as they are. The function is given
            the training inputs: an array [N, ...], or a dict of columns [N, 1].
        method: a name of `--method=list`; "auto" is "robust" with a meta set, and without
            one "sce" on logits corrected by the class shares (`logit_adjustment=1`).
        epochs: passes over the training set; methods in phases may have more.
        batch_size: of a step, at most N.
        optimizer: of Keras, by name or as an object, of which each fit has a copy.
        seed: of the weights, the order of the examples and the folds, 0 or more.
        verbose: as in `fit` of Keras.
        **options: of the method, under the names of its flags: `sce_beta=0.5`.

    Attributes:
        classes_: [C] the labels, sorted.
        n_features_in_: columns of X; of an array with more than two axes, the length of the second.
        feature_names_in_: their names, if X is a DataFrame.
        method_: the name of the method that trained.
        model_: the trained `tf_mwn.RobustModel`; `model_.predicting_classifier` is a Keras model.
        history_: values of each epoch by name.
        audit_: the `Audit` of the last `find_label_issues`.

    Examples:
        >>> def network(X, n_classes):
        ...     return keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(n_classes)])
        >>> estimator = tf_mwn.RobustClassifier(network, epochs=1).fit(x, y, x_meta, y_meta)
        >>> estimator.predict(x).shape
        (100,)

    See Also:
        - `Robust`: what trains if there are clean examples.
        - `audit`: the ranking of labels by a model that is trained already.
    """

    def __init__(
        self,
        model: Any,
        method: str = AUTO,
        epochs: int = 20,
        batch_size: int = 100,
        optimizer: Any = "adam",
        seed: int = 0,
        verbose: Any = 0,
        **options: Any,
    ) -> None:
        self.model = model
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.seed = seed
        self.verbose = verbose
        self._set_options(options)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """As in scikit-learn; of the options of methods, those that were given."""
        return super().get_params(deep) | self._options()

    def set_params(self, **params: Any) -> "RobustClassifier":
        """As in scikit-learn; any option of a method may be given."""
        self._set_options({name: params.pop(name) for name in OPTIONS if name in params})
        return super().set_params(**params)

    def fit(
        self, X: Any, y: Any, X_meta: Any = None, y_meta: Any = None, sample_weight: Any = None
    ) -> "RobustClassifier":
        """Trains a new network.

        Args:
            X: an array [N, ...] of numbers, or a DataFrame. One with numbers alone is an array
                [N, F]; otherwise the network is given a dict of columns [N, 1].
            y: [N] labels of any type, which may be wrong.
            X_meta: inputs like X, with right labels; None for a method that needs none.
            y_meta: [M] their labels.
            sample_weight: [N] of at least 0, how much each row counts; None for 1. It multiplies
                the weights that the method gives.

        Raises:
            TypeError, ValueError: data or options that the method cannot be trained with.
        """
        data, meta = self._learn(X, y, X_meta, y_meta, sample_weight)
        plan = self._plan(meta)
        self.model_, self.history_ = train(plan, data, meta, len(self.classes_))
        self.method_ = plan.method.name
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits [N, C]; of two classes the difference [N] of both."""
        check_is_fitted(self, "model_")
        logits = label_issues.logits_of(self.model_, self._inputs(X))
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [N, C] in the order of `classes_`."""
        logits = self.decision_function(X)
        if logits.ndim == 1:
            logits = np.stack([np.zeros_like(logits), logits], axis=1)
        return softmax(logits, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each row, [N]."""
        logits = self.decision_function(X)
        chosen = logits > 0 if logits.ndim == 1 else logits.argmax(axis=1)
        return self.classes_[chosen.astype(int)]

    def find_label_issues(
        self,
        X: Any,
        y: Any,
        X_meta: Any = None,
        y_meta: Any = None,
        sample_weight: Any = None,
        *,
        cv: Any = 3,
        progress: bool = True,
    ) -> Any:
        """The labels of y that look wrong to classifiers which have not seen them.

        A new network is trained for each fold, on the rows of the other folds: K folds take K - 1
        times the epochs of a fit. No fitted attribute is read or changed but `audit_`.

        Args:
            X, y, X_meta, y_meta, sample_weight: as in `fit`.
            cv: number of folds, or a splitter of scikit-learn that holds out each row once.
            progress: whether a bar is shown.

        Returns:
            A DataFrame, or a structured array if pandas is not installed, of the rows whose label
            is more likely wrong than right, worst first. "row" is the position in y, "given" the
            label, "suggested" the likeliest one, "trust" the probability that the given label is
            right, "weight" what the method gives the row (NaN if it gives none, or to rows it was
            trained on alone). The index is that of X. If errors planted in the meta set show that
            the classifier is too weak to judge, a warning says so and "suggested" is None.
        """
        worker = type(self)(**self.get_params(deep=False))
        data, meta = worker._learn(X, y, X_meta, y_meta, sample_weight)
        plan = worker._plan(meta)
        names = worker.classes_.astype(str)
        self.audit_ = label_issues.cross_audit(plan, data, meta, names, cv, progress)
        is_weak = self.audit_.suggested is None
        (logger.warning if is_weak else logger.info)(believed(self.audit_))
        return label_issues.table(self.audit_, worker.classes_, index_of(X))

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in OPTIONS if name in vars(self)}

    def _set_options(self, options: dict[str, Any]) -> None:
        for name, value in options.items():
            if name not in OPTIONS:
                raise TypeError(unknown_name("option", name, OPTIONS))
            setattr(self, name, value)

    def _plan(self, meta: Labelled | None) -> Plan:
        name, options = self.method, self._options()
        if name == AUTO:
            name, defaults = WITHOUT if meta is None else WITH_META_SET
            options = defaults | options
            logger.info("method: %s, as there is %s meta set", name, "no" if meta is None else "a")
        method = registry.find(name)
        settings = settings_of(method, options, self.epochs, self.batch_size)
        if meta is None and method.needs_meta_set(settings):
            raise ValueError(f"X_meta: expected a meta set for {name}, received none")
        seed = check_count("seed", self.seed, 0)
        return Plan(self.model, method, settings, self.optimizer, seed, self.verbose)

    def _learn(
        self, X: Any, y: Any, X_meta: Any, y_meta: Any, sample_weight: Any
    ) -> tuple[Labelled, Labelled | None]:
        """The data in arrays; sets what is known of columns and classes."""
        check_none_missing("y", y)
        inputs, y = self._inputs_and_labels(X, y)
        check_classification_targets(y)
        encoder = LabelEncoder()
        codes = encoder.fit_transform(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError("y: expected at least two classes, received one class")
        check_together(X_meta=X_meta, y_meta=y_meta)
        if sample_weight is not None:
            sample_weight = check_sample_weight("sample_weight", sample_weight)
            check_lengths(y=codes, sample_weight=sample_weight)
            if not sample_weight.any():
                raise ValueError("sample_weight: expected one above 0, received weights of zero")
        data = Labelled(inputs, codes, sample_weight)
        if X_meta is None:
            return data, None
        check_none_missing("y_meta", y_meta)
        y_meta = column_or_1d(y_meta, warn=True)
        unknown = set(np.asarray(y_meta).tolist()) - set(self.classes_.tolist())
        if unknown:
            raise ValueError(f"y_meta: expected labels of y, received {min(unknown, key=str)!r}")
        meta = self._inputs(X_meta)
        check_lengths(X_meta=tf.nest.flatten(meta)[0], y_meta=y_meta)
        return data, Labelled(meta, encoder.transform(y_meta))

    def _inputs_and_labels(self, X: Any, y: Any) -> tuple[Inputs, np.ndarray]:
        self._other_columns = other_columns(X)
        if not self._other_columns:
            X, y = validate_data(self, X, y, allow_nd=True)
            return numbers(X), y
        validate_data(self, X, y, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        if len(y) != len(X):
            raise ValueError(f"y: expected a label for each of {len(X)} rows, received {len(y)}")
        return columns_of(X), y

    def _inputs(self, X: Any) -> Inputs:
        if not self._other_columns:
            return numbers(validate_data(self, X, allow_nd=True, reset=False))
        validate_data(self, X, skip_check_array=True, reset=False)
        text = other_columns(X)
        if text != self._other_columns:
            raise ValueError(
                f"X: expected text in columns {', '.join(self._other_columns)} as in fit, "
                f"received it in {', '.join(text) or 'none'}"
            )
        return columns_of(X)
