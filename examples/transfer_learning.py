"""Transfer learning: a backbone of keras.applications, all but its last block frozen."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 5))
SIZE = int(os.environ.get("SIZE", 1500))
# "imagenet" downloads trained weights, without which a frozen backbone sees little. WEIGHTS= in
# the environment does without them, and without a network.
WEIGHTS = os.environ.get("WEIGHTS", "imagenet") or None


def classifier():
    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, pooling="avg", weights=WEIGHTS
    )
    for layer in backbone.layers[:-7]:
        layer.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    # training=False: frozen batch norm keeps its statistics.
    return keras.Model(inputs, keras.layers.Dense(3)(backbone(x, training=False)))


def stripes(size, rng):
    """Images with horizontal, vertical or diagonal stripes of any colour, and noise."""
    kind = rng.integers(0, 3, size)
    i, j = np.mgrid[:32, :32]
    direction = np.stack([i, j, i + j])[kind] + rng.integers(0, 8, (size, 1, 1))
    light = (direction // 4 % 2)[..., np.newaxis] * rng.integers(60, 255, (size, 1, 1, 3))
    return np.clip(light + rng.normal(0, 30, light.shape), 0, 255).astype("float32"), kind


rng = np.random.default_rng(0)
x, y_clean = stripes(SIZE, rng)
y = np.where(rng.random(SIZE) < 0.4, (y_clean + 1) % 3, y_clean)
meta, train, test = np.split(np.arange(SIZE), [60, SIZE * 2 // 3])

plain = classifier()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"])
plain.fit(x[train], y[train], batch_size=50, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

# Frozen layers take no part in the virtual step either; "head" would move the last layer alone.
model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.05, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    metrics=["accuracy"],
)
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=50)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {model.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

found = tf_mwn.audit(model, x[train], y[train], x[meta], y_clean[meta], y_clean=y_clean[train])
print(found)
