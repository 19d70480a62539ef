"""A DataFrame with numbers and text: made customers, 30 % of those who stayed marked as gone."""

import os

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 30))


def network(X, n_classes):
    """Takes the columns as they are; X is a dict of them, [N, 1] each."""
    inputs, parts = {}, []
    for name, column in X.items():
        is_text = column.dtype == object
        inputs[name] = keras.Input((1,), name=name, dtype="string" if is_text else "float32")
        layer = keras.layers.Normalization()
        if is_text:
            layer = keras.layers.StringLookup(output_mode="one_hot")
        layer.adapt(column)
        parts.append(layer(inputs[name]))
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()(parts))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(hidden))


rng = np.random.default_rng(0)
size = 3000
table = pd.DataFrame(
    {
        "months": rng.integers(1, 60, size),
        "price": rng.gamma(4, 10, size),
        "plan": rng.choice(["basic", "family", "student"], size),
        "city": rng.choice(["Basel", "Bern", "Genf", "Zug"], size),
    }
)
score = table["price"] / 20 - table["months"] / 15 + 2 * (table["plan"] == "student") - 0.5
truth = pd.Series(np.where(score > rng.normal(0, 0.2, size), "gone", "stayed"))
given = truth.mask((truth == "stayed") & (rng.random(size) < 0.3), "gone")
train, meta, test = table[:2000], table[2000:2060], table[2060:]

for name, method in (("cross-entropy", "cross_entropy"), ("RobustClassifier", "auto")):
    classifier = tf_mwn.RobustClassifier(network, method, epochs=EPOCHS)
    clean = (meta, truth[2000:2060]) if method == "auto" else ()
    predicted = classifier.fit(train, given[:2000], *clean).predict(test)
    print(f"{name:16} {balanced_accuracy_score(truth[2060:], predicted):.3f}")

issues = classifier.find_label_issues(train, given[:2000], *clean, cv=2)
print(issues.head(10))
print(classifier.audit_)
is_wrong = given[:2000] != truth[:2000]
print(f"wrong among those listed: {is_wrong[issues.index].mean():.3f}, of {is_wrong.sum()} wrong")
