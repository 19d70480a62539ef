"""A table with one-hot labels: scikit-learn's breast cancers, 40 % of the benign labels flipped."""

import os

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 100))


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((30,)),
            normalise,
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(2),
        ]
    )


x, y_clean = load_breast_cancer(return_X_y=True)
x = x.astype("float32")
rng = np.random.default_rng(0)
order = rng.permutation(len(x))
meta, train, test = order[:40], order[40:340], order[340:]
y = np.where((y_clean == 1) & (rng.random(len(x)) < 0.4), 0, y_clean)
one_hot = keras.utils.to_categorical
normalise = keras.layers.Normalization()  # columns have scales of their own
normalise.adapt(x[train])

plain = classifier()
loss = keras.losses.CategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
plain.fit(x[train], one_hot(y[train]), batch_size=50, epochs=EPOCHS, verbose=0)

model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    loss=loss,
)
pairs = tf_mwn.paired_dataset(
    x[train], one_hot(y[train]), x[meta], one_hot(y_clean[meta]), batch_size=50
)
model.fit(pairs, epochs=EPOCHS, verbose=0)
for name, trained in (("cross-entropy", plain), ("Meta-Weight-Net", model)):
    predicted = trained.predict(x[test], verbose=0).argmax(axis=1)
    print(f"{name:16} {np.mean(predicted == y_clean[test]):.3f}")

given, clean = one_hot(y[train]), one_hot(y_clean[meta])
print(tf_mwn.audit(model, x[train], given, x[meta], clean, y_clean=y_clean[train]))
