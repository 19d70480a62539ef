"""No clean set at all: CMW-Net finds its meta set among labels of which 40 % are flipped."""

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
train, test = order[:1400], order[1400:]
y = np.where(rng.random(len(x)) < 0.4, (y_clean + rng.integers(1, 3, len(x))) % 10, y_clean)

plain = classifier()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
plain.fit(x[train], y[train], batch_size=100, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

counts = np.bincount(y[train], minlength=10)
model = tf_mwn.CMWNet(classifier(), counts, epochs=EPOCHS, weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    metrics=["accuracy"],
)
# Before each epoch it looks at the whole training set, and takes the examples of least loss.
model.whole_sets = tf_mwn.WholeSets.from_arrays(x[train], y[train])
model.fit(tf_mwn.paired_dataset(x[train], y[train], None, None, 100), epochs=EPOCHS, verbose=0)
print(f"CMW-Net          {model.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

found = tf_mwn.audit(model, x[train], y[train], y_clean=y_clean[train])
print(found)
print("look first at rows", train[found.suspects[:10]])
