"""Regression: 30 % of the targets were typed in with a wrong sign or unit."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 15))
SIZE = int(os.environ.get("SIZE", 3000))


def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


rng = np.random.default_rng(0)
x = rng.normal(size=(SIZE, 8)).astype("float32")
y_clean = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] / 2 + x[:, 3:] @ rng.normal(size=5) / 2
y = np.where(rng.random(SIZE) < 0.3, 3 * y_clean + 4, y_clean).astype("float32")
meta, train, test = np.split(np.arange(SIZE), [60, SIZE * 2 // 3])


def error(model):
    return np.sqrt(np.mean((model.predict(x[test], verbose=0)[:, 0] - y_clean[test]) ** 2))


for title, loss in {"mean square": "mean_squared_error", "absolute": "mean_absolute_error"}.items():
    plain = network()
    plain.compile(keras.optimizers.Adam(3e-3), loss)
    plain.fit(x[train], y[train], batch_size=100, epochs=EPOCHS, verbose=0)
    print(f"{title:16} {error(plain):.3f}")

model = tf_mwn.MetaWeightNet(network(), weight_normalization="sum")
model.compile(
    keras.optimizers.Adam(3e-3), meta_optimizer="adam", loss=keras.losses.MeanSquaredError()
)
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=100)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {error(model):.3f}")

weights = keras.ops.convert_to_numpy(model.sample_weight(y[train], model(x[train])))
wrong = y[train] != y_clean[train].astype("float32")
found = np.argsort(weights)[: wrong.sum()]
print(f"{wrong[found].mean():.0%} of the {wrong.sum()} targets of least weight are wrong")
