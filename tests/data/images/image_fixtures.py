"""Small image files for the tests of sources."""

import numpy as np
from PIL import Image

from tf_mwn.data.sources import loading


def pictures(size=12, shape=(6, 5, 3), seed=0):
    """Random images [size, *shape] uint8, each with its own first pixel."""
    images = np.random.default_rng(seed).integers(0, 256, (size, *shape)).astype(np.uint8)
    images[:, 0, 0, 0] = np.arange(size)
    return images


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
    return path


def save_folder(root, images, classes=("ant", "bee", "cat"), suffix="png"):
    """Saves image i to the folder of class i mod C; returns the row order that loading gives."""
    for row, image in enumerate(images):
        save(root / classes[row % len(classes)] / f"{row:03d}.{suffix}", image)
    return np.argsort(np.arange(len(images)) % len(classes), kind="stable")


IMAGES = pictures(30)


def load_path(path, **options):
    return loading.load(str(path), **options)
