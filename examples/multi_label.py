"""Several labels per example: annotators overlook 40 % of them; each label has its own weight."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 15))
LABELS = 3


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(LABELS),  # a logit for each label, without a sigmoid
        ]
    )


rng = np.random.default_rng(0)
x = rng.normal(size=(3000, 10)).astype("float32")
y_clean = (x @ rng.normal(size=(10, LABELS)) > 0).astype("float32")  # any row, such as [1, 0, 1]
y = np.where((y_clean == 1) & (rng.random(y_clean.shape) < 0.4), 0, y_clean)
meta, train, test = np.split(np.arange(len(x)), [100, 2000])
loss = keras.losses.BinaryCrossentropy(from_logits=True)

plain = classifier()
accuracy = keras.metrics.BinaryAccuracy(threshold=0.0)  # of logits
plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=[accuracy])
plain.fit(x[train], y[train], batch_size=100, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    loss=loss,
    weight_per="output",
    metrics=["accuracy"],
)
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=100)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {model.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

weights = keras.ops.convert_to_numpy(model.sample_weight(y[train], model(x[train])))
right, wrong = weights[y[train] == y_clean[train]], weights[y[train] != y_clean[train]]
print(f"mean weight of right labels {right.mean():.2f}, of wrong ones {wrong.mean():.2f}")
