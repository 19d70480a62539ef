"""Text: a small transformer of Keras layers on sentences, 40 % of the labels flipped."""

import os

import keras
import numpy as np

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 6))
SIZE = int(os.environ.get("SIZE", 3000))
TOPICS = (
    "goal match team coach league score player win",
    "vote law party senate minister tax state win",
    "cell gene atom theory planet light energy state",
)


def sentences(size, rng):
    """Six words of a topic each, two more of any topic, and filler."""
    topic = rng.integers(0, 3, size)
    words = [row.split() for row in TOPICS]
    texts = [
        [*rng.choice(words[t], 6), *rng.choice(words[rng.integers(3)], 2), "the", "of"]
        for t in topic
    ]
    return [" ".join(rng.permutation(text)) for text in texts], topic


def classifier():
    """One block of a transformer, and the mean over words."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    words = keras.Input((10,), dtype="int64")
    x = layers.Embedding(40, 16)(words)
    attended = layers.MultiHeadAttention(2, 8)(x, x)
    x = layers.LayerNormalization()(x + attended)
    x = layers.LayerNormalization()(x + layers.Dense(16)(layers.Dense(32, activation="relu")(x)))
    return keras.Model(words, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


rng = np.random.default_rng(0)
texts, y_clean = sentences(SIZE, rng)
tokens = keras.layers.TextVectorization(40, output_sequence_length=10)
tokens.adapt(texts)
x = keras.ops.convert_to_numpy(tokens(texts))
y = np.where(rng.random(SIZE) < 0.4, (y_clean + 1) % 3, y_clean)
meta, train, test = np.split(np.arange(SIZE), [60, SIZE * 2 // 3])

plain = classifier()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
plain.fit(x[train], y[train], batch_size=100, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

model = tf_mwn.MetaWeightNet(classifier(), weight_normalization="sum")
model.compile(keras.optimizers.Adam(1e-2), meta_optimizer="adam", metrics=["accuracy"])
pairs = tf_mwn.paired_dataset(x[train], y[train], x[meta], y_clean[meta], batch_size=100)
model.fit(pairs, epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {model.evaluate(x[test], y_clean[test], verbose=0)[1]:.3f}")

found = tf_mwn.audit(model, x[train], y[train], x[meta], y_clean[meta], y_clean=y_clean[train])
print(found)
for row in train[found.suspects[:5]]:
    print(y[row], texts[row])
