"""Images in a folder per class: `python examples/image_folder.py FOLDER`; without, digits.

FOLDER/<class>/<image> is not to be trusted, FOLDER/../meta/<class>/<image> is. Images keep their
colours. They are scaled to the size of the first one, or to IMAGE_SIZE pixels if that is larger.
"""

import os
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import tf_mwn

EPOCHS = int(os.environ.get("EPOCHS", 30))
IMAGE_SIZE = int(os.environ.get("IMAGE_SIZE", 64))


def write_digits(root):
    """Twelve of each digit to root/meta, the rest to root/train, a third in the wrong folder."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        clean = i < 120
        given = label if clean or rng.random() > 0.33 else (label + 1) % 10
        folder = root / ("meta" if clean else "train") / str(given)
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.uint8(image.reshape(8, 8) * 15)
        Image.fromarray(pixels).save(folder / f"{i:04d}_is_{label}.png")


def form(root):
    """Height and width, and whether there are colours, by the first image of a folder."""
    with Image.open(sorted(root.glob("*/[!.]*.*"))[0]) as image:
        scale = min(1.0, IMAGE_SIZE / max(image.size))
        size = tuple(max(1, round(scale * side)) for side in image.size[::-1])
        return size, "grayscale" if image.mode in ("1", "L") else "rgb"


def read(folder, size, colours, names=None):
    """Images in [0, 1], labels, and the paths, in one fixed order; and the names of the classes."""
    dataset = keras.utils.image_dataset_from_directory(
        folder, "inferred", "int", names, colours, image_size=size, shuffle=False, verbose=False
    )
    x, y = (np.concatenate(part) for part in zip(*dataset.as_numpy_iterator(), strict=True))
    return x / 255, y.astype("int64"), dataset.file_paths, dataset.class_names


def classifier(shape, num_classes):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(num_classes),
        ]
    )


if len(sys.argv) > 1:
    root = Path(sys.argv[1])
else:
    root = Path(tempfile.mkdtemp()) / "train"
    write_digits(root.parent)
size, colours = form(root)
x, y, paths, names = read(root, size, colours)
x_meta, y_meta, _, _ = read(root.parent / "meta", size, colours, names)

plain = classifier(x.shape[1:], len(names))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
plain.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
plain.fit(x, y, batch_size=100, epochs=EPOCHS, verbose=0)
print(f"cross-entropy    {plain.evaluate(x_meta, y_meta, verbose=0)[1]:.3f} on the meta set")

model = tf_mwn.MetaWeightNet(classifier(x.shape[1:], len(names)), weight_normalization="sum")
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9),
    meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3),
    metrics=["accuracy"],
)
model.fit(tf_mwn.paired_dataset(x, y, x_meta, y_meta, batch_size=100), epochs=EPOCHS, verbose=0)
print(f"Meta-Weight-Net  {model.evaluate(x_meta, y_meta, verbose=0)[1]:.3f} on the meta set")

found = tf_mwn.audit(model, x, y, x_meta, y_meta, class_names=names)
print(found)
print("written:", *found.write(root.parent / "audit"))
if found.suggested is not None:  # the classifier is good enough to judge
    for row in found.suspects[:10]:
        print(paths[row], "looks like", names[found.suggested[row]])
