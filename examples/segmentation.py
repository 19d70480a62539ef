"""Segmentation: most masks are boxes around a disc, not its outline; each pixel has its weight."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 8))
SIZE = int(os.environ.get("SIZE", 800))
WIDTH = 16


def discs(size, rng):
    """Noisy images [N, 16, 16, 1], masks of their discs, and boxes around them, [N, 16, 16]."""
    place = np.arange(WIDTH)
    rows, columns = rng.uniform(4, 12, (2, size, 1, 1))
    radius = rng.uniform(2.5, 5, (size, 1, 1))
    down, across = np.abs(place[:, None] - rows), np.abs(place - columns)
    disc, box = down**2 + across**2 <= radius**2, np.maximum(down, across) <= radius
    images = disc + 0.5 * rng.normal(size=disc.shape)
    return images[..., None].astype("float32"), disc.astype(int), box.astype(int)


def classifier():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((WIDTH, WIDTH, 1)),
            layers.Conv2D(8, 5, padding="same", activation="relu"),
            layers.Conv2D(8, 5, padding="same", activation="relu"),
            layers.Conv2D(2, 1),
        ]
    )


rng = np.random.default_rng(0)
x, y_clean, boxes = discs(SIZE, rng)
y = np.where(rng.random((SIZE, 1, 1)) < 0.6, boxes, y_clean)
y[:, [0, -1]] = y[:, :, [0, -1]] = -1  # nobody has drawn the edges of the images
meta, train, test = np.split(np.arange(SIZE), [40, SIZE * 3 // 4])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)


def overlap(model):
    """Intersection over union of the discs."""
    found = model.predict(x[test], verbose=0).argmax(-1) == 1
    disc = y_clean[test] == 1
    return (found & disc).sum() / (found | disc).sum()


plain = classifier()
plain.compile(keras.optimizers.Adam(3e-3), loss)
plain.fit(x[train], y[train], batch_size=20, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {overlap(plain):.3f}")

model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(keras.optimizers.Adam(3e-3), meta_optimizer="adam", loss=loss, weight_per="output")
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=20)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {overlap(model):.3f}")
