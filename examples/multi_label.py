"""Several labels per example: one model for each label, as the classes of one model exclude
each other, and `tf_mwn` refuses labels like [1, 1, 0]."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 20))
NAMES = ("urgent", "complaint")


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(2),  # logits of "no" and "yes"
        ]
    )


rng = np.random.default_rng(0)
x = rng.normal(size=(2000, 10)).astype("float32")
y_clean = (x @ rng.normal(size=(10, 2)) > 0).astype("float32")  # [N, 2], any of 00 01 10 11
missed = (y_clean == 1) & (rng.random(y_clean.shape) < 0.4)  # annotators overlook labels
y = np.where(missed, 0.0, y_clean)
meta, train, test = np.split(np.arange(len(x)), [60, 1400])

try:
    tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=100)
except ValueError as error:
    print(f"refused: {error}")

for column, name in enumerate(NAMES):
    given, clean = y[:, column].astype(int), y_clean[:, column].astype(int)

    plain = classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    plain.fit(x[train], given[train], batch_size=100, epochs=EPOCHS, verbose=0)

    model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
        metrics=["accuracy"],
    )
    pairs = tf_mwn.paired_dataset(x[train], given[train], x[meta], clean[meta], batch_size=100)
    model.fit(pairs, epochs=EPOCHS, verbose=0)

    for title, trained in (("cross-entropy", plain), ("Meta-Weight-Net", model)):
        print(f"{name:10} {title:16} {trained.evaluate(x[test], clean[test], verbose=0)[1]:.3f}")
    print(tf_mwn.audit(model, x[train], given[train], x[meta], clean[meta], y_clean=clean[train]))
