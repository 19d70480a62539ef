"""Your own Keras model and arrays: handwritten digits, 40 % of the labels flipped."""

import os

import keras
import numpy as np
from sklearn.datasets import load_digits

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 30))


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(10),  # logits, no softmax
        ]
    )


x, y_clean = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
rng = np.random.default_rng(0)
order = rng.permutation(len(x))
meta, train, test = order[:100], order[100:1400], order[1400:]
y = np.where(rng.random(len(x)) < 0.4, (y_clean + rng.integers(1, 3, len(x))) % 10, y_clean)

plain = classifier()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
plain.fit(x[train], y[train], batch_size=100, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    metrics=["accuracy"],
)
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=100)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {model.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

found = tf_mwn.audit(model, x[train], y[train], x[meta], y_clean[meta], y_clean=y_clean[train])
print(found)
print("look first at rows", train[found.suspects[:10]])
