"""A frozen backbone from a file: its features are computed once, and the head trains on them."""

import os
import pathlib
import tempfile
import time

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 20))
SIZE = int(os.environ.get("SIZE", 3000))
FOLDER = pathlib.Path(tempfile.mkdtemp())
WEIGHTS, FEATURES = FOLDER / "backbone.weights.h5", FOLDER / "features.npy"


def backbone():
    """Put your own here, with the weights that you have."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(16, 5, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(64, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def head():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3)]
    return keras.Sequential(layers)


def stripes(size, rng, kinds):
    """Images with stripes in one of up to six directions, of any width and colour, and noise."""
    kind = rng.integers(0, kinds, size)
    i, j = np.mgrid[:32, :32]
    every = np.stack([i, j, i + j, i - j, 2 * i + j, i + 2 * j])
    width = rng.integers(3, 6, (size, 1, 1))
    direction = every[kind] + rng.integers(0, 8, (size, 1, 1))
    light = (direction // width % 2)[..., np.newaxis] * rng.integers(60, 255, (size, 1, 1, 3))
    return np.clip(light + rng.normal(0, 30, light.shape), 0, 255).astype("float32"), kind


# The backbone's weights come from a file. Here another task makes it: all six directions.
rng = np.random.default_rng(0)
keras.utils.set_random_seed(0)
teacher = keras.Sequential([backbone(), keras.layers.Dense(6)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile("adam", loss)
teacher.fit(*stripes(SIZE, rng, 6), epochs=max(1, EPOCHS // 4), verbose=0)
teacher.layers[0].save_weights(WEIGHTS)

x, y_clean = stripes(SIZE, rng, 3)
y = np.where(rng.random(SIZE) < 0.4, (y_clean + 1) % 3, y_clean)
meta, train, test = np.split(np.arange(SIZE), [60, SIZE * 2 // 3])

frozen = backbone()
frozen.load_weights(WEIGHTS)
if not FEATURES.exists():  # once for all trainings, seeds and methods
    np.save(FEATURES, frozen.predict(x, batch_size=500, verbose=0))
features = np.load(FEATURES)
spread = keras.layers.Normalization()  # of the training set; a part of the head
spread.adapt(features[train])
features = spread(features).numpy()

plain = head()
plain.compile("adam", loss, metrics=["accuracy"])
plain.fit(features[train], y[train], batch_size=50, epochs=EPOCHS, verbose=0)
accuracy = plain.evaluate(features[test], y_clean[test], verbose=0)[1]
print(f"cross-entropy    {accuracy:.3f}")

start = time.perf_counter()
model = tf_mwn.MetaWeightNet(head(), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    metrics=["accuracy"],
)
clean = {"x_meta": features[meta], "y_meta": y_clean[meta]}
model.fit(features[train], y[train], **clean, batch_size=50, epochs=EPOCHS, verbose=0)
accuracy = model.evaluate(features[test], y_clean[test], verbose=0)[1]
print(f"Meta-Weight-Net  {accuracy:.3f}, trained in {time.perf_counter() - start:.0f} s")

print(tf_mwn.audit(model, features[train], y[train], **clean, y_clean=y_clean[train]))

# For use: backbone and head as one model of images.
whole = keras.Sequential([frozen, spread, model.classifier])
whole.save(FOLDER / "classifier.keras")
