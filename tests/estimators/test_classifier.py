"""`RobustClassifier` as scikit-learn and its tools use it."""

import os
import pickle
from unittest import SkipTest

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import tf_mwn
from tests.estimators.tiny_networks import blobs, linear

X, CODES = blobs(100)
X_META, META = blobs(20, seed=1)
# scikit-learn's checks that fail, each with its reason.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "a row of weight 0 keeps its place in a batch",
    "check_do_not_raise_errors_in_init_or_set_params": "an unknown keyword is a TypeError at once",
}


# They fit many times; TF_MWN_EVERY_CHECK=1 has them too.
SLOW = {
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_estimators_dtypes",
    "check_decision_proba_consistency",
    "check_dict_unchanged",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_supervised_y_2d",
}


def small(**options) -> tf_mwn.RobustClassifier:
    options = {"epochs": 2, "batch_size": 20, "method": "cross_entropy", **options}
    return tf_mwn.RobustClassifier(linear, optimizer=keras.optimizers.SGD(0.5), **options)


@pytest.fixture
def eagerly():
    """Without tracing, which would be most of the time."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.filterwarnings("ignore")
def test_the_checks_of_scikit_learn(eagerly):
    every, failed = os.environ.get("TF_MWN_EVERY_CHECK"), set()
    for estimator, check in estimator_checks_generator(small(epochs=5, batch_size=50)):
        name = check.func.__name__
        if name in SLOW and not every:
            continue
        try:
            check(estimator)
        except SkipTest:
            pass
        except Exception:
            if name not in EXPECTED:
                raise
            failed.add(name)
    assert failed == set(EXPECTED)


@pytest.mark.parametrize(
    "names", [["no", "yes"], [3, 7], [False, True], [-1.0, 1.0]], ids=lambda names: str(names[0])
)
def test_labels_of_any_type(names):
    names = np.array(names)
    classifier = small().fit(X, names[CODES])
    np.testing.assert_array_equal(classifier.classes_, names)
    predicted = classifier.predict(X)
    assert predicted.dtype == names.dtype and np.mean(predicted == names[CODES]) > 0.9
    assert classifier.score(X, names[CODES]) > 0.9
    p = classifier.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(names[p.argmax(axis=1)], predicted)
    np.testing.assert_allclose(
        classifier.decision_function(X), np.log(p[:, 1] / p[:, 0]), rtol=1e-3, atol=1e-3
    )


def test_the_method_follows_from_the_meta_set(caplog):
    classifier = tf_mwn.RobustClassifier(linear, epochs=1, batch_size=20)
    with caplog.at_level("INFO", "tf_mwn"):
        assert classifier.fit(X, CODES).method_ == "sce"
        assert classifier.model_.logit_adjustment.strength == 1
        assert classifier.fit(X, CODES, X_META, META).method_ == "robust"
    assert "method: sce, as there is no meta set" in caplog.text
    with pytest.raises(ValueError, match="X_meta: expected a meta set for robust, received none"):
        classifier.set_params(method="robust").fit(X, CODES)


def test_options_are_parameters():
    classifier = small(method="sce", sce_beta=0.5)
    assert classifier.get_params()["sce_beta"] == 0.5 and "sce_alpha" not in classifier.get_params()
    other = clone(classifier).set_params(sce_alpha=2.0, epochs=1)
    assert (other.sce_alpha, other.sce_beta, other.epochs) == (2.0, 0.5, 1)
    assert "sce_beta=0.5" in repr(classifier)
    with pytest.raises(TypeError, match="option: .* received 'sce_bet'; did you mean 'sce_beta'"):
        small(sce_bet=0.5)


def test_a_fit_is_repeated_and_kept_by_pickle():
    classifier = small(method="sce").fit(X, CODES)
    p = classifier.predict_proba(X)
    np.testing.assert_array_equal(clone(classifier).fit(X, CODES).predict_proba(X), p)
    kept = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(kept.predict_proba(X), p)
    assert kept.history_ == classifier.history_ and len(kept.history_["loss"]) == 2
    other = clone(classifier).set_params(seed=1).fit(X, CODES)
    assert not np.array_equal(other.predict_proba(X), p)


def test_the_tools_of_scikit_learn(eagerly):
    pipeline = make_pipeline(StandardScaler(), small())
    step = "robustclassifier__"
    search = GridSearchCV(pipeline, {step + "optimizer": ["sgd"], step + "seed": [0, 1]}, cv=2)
    assert len(search.fit(X, CODES).cv_results_["mean_test_score"]) == 2
    p = cross_val_predict(
        small(method="fine_tuning"),
        X,
        CODES,
        cv=2,
        method="predict_proba",
        params={"X_meta": X_META, "y_meta": META},
    )
    assert np.mean(p.argmax(axis=1) == CODES) > 0.9


def columns(inputs, n_classes):
    """A network that prepares its own columns, of which one is text."""
    kinds = {"age": "float32", "city": "string"}
    given = {name: keras.Input((1,), name=name, dtype=kind) for name, kind in kinds.items()}
    scale, look_up = keras.layers.Normalization(), keras.layers.StringLookup(output_mode="one_hot")
    scale.adapt(inputs["age"])
    look_up.adapt(inputs["city"])
    both = keras.layers.Concatenate()([scale(given["age"]), look_up(given["city"])])
    return keras.Model(given, keras.layers.Dense(n_classes)(both))


def test_a_table_of_numbers_and_text():
    table = pd.DataFrame(
        {"age": 50 + 9 * X[:, 0].astype(float), "city": np.array(["b", "a"])[CODES]}
    )
    y = pd.Series(CODES, index=table.index)
    classifier = small(method="fine_tuning").set_params(model=columns)
    classifier.fit(table, y, table[:30], y[:30])
    assert classifier.score(table, y) > 0.9
    assert classifier.n_features_in_ == 2 and list(classifier.feature_names_in_) == ["age", "city"]
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(table[["city", "age"]])
    with pytest.raises(ValueError, match="X: expected text in columns city as in fit"):
        classifier.predict(table.assign(city=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, np.zeros(100)), "y: expected at least two classes, received one class"),
        ((X, CODES, X_META, META + 1), "y_meta: expected labels of y, received 2"),
        ((X, CODES, X_META), "y_meta: expected together with X_meta"),
        ((X, CODES, X_META[:9], META), "X_meta, y_meta: expected the same length, received 9, 20"),
        ((X, CODES, X_META, [None, *META[1:]]), "y_meta: expected a label for each row"),
        ((X, [*CODES[:-1], None]), "y: expected a label for each row, received none for row 99"),
        ((X, CODES, X_META[:, :2], META), "X has 2 features, but RobustClassifier is expecting 4"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(method="fine_tuning").fit(*arguments)
