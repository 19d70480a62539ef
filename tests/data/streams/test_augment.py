"""Augmentation against a plain NumPy loop, eagerly and inside a map."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.data.streams import augment

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 12, 11, 3)).astype(np.uint8)


def _variants(image, padding):
    """Every crop and its mirror image, by NumPy's own reflection."""
    borders = ((padding, padding), (padding, padding), (0, 0))
    padded = np.pad(image, borders, mode="reflect")
    height, width, _ = image.shape
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = padded[top : top + height, left : left + width]
            yield (top, left, False), crop
            yield (top, left, True), crop[:, ::-1]


def _which(image, result, padding):
    found = [name for name, crop in _variants(image, padding) if np.array_equal(crop, result)]
    assert len(found) == 1, "expected exactly one crop that equals the result"
    return found[0]


def _run(images, seed, padding, mode):
    seed = tf.constant([seed, 5], tf.int64)
    if mode == "eager":
        return augment.crop_and_flip(tf.constant(images), seed, padding).numpy()
    dataset = tf.data.Dataset.from_tensors(images)
    dataset = dataset.map(lambda batch: augment.crop_and_flip(batch, seed, padding))
    assert dataset.element_spec.shape[1:] == images.shape[1:]
    return next(iter(dataset)).numpy()


@pytest.mark.parametrize("mode", ["eager", "map"])
@pytest.mark.parametrize("padding", [2, 4])
def test_each_image_is_one_crop_of_its_reflected_self(mode, padding):
    result = _run(IMAGES, 1, padding, mode)
    assert result.dtype == np.uint8
    drawn = {_which(image, out, padding) for image, out in zip(IMAGES, result, strict=True)}
    assert len(drawn) > 6


def test_eager_equals_map_and_seed_decides():
    one = _run(IMAGES, 1, 4, "eager")
    np.testing.assert_array_equal(one, _run(IMAGES, 1, 4, "map"))
    assert not np.array_equal(one, _run(IMAGES, 2, 4, "eager"))


def test_offsets_and_flips_are_uniform():
    ramp = np.broadcast_to(np.arange(81, dtype=np.int32).reshape(1, 9, 9, 1), (3000, 9, 9, 1))
    result = _run(np.ascontiguousarray(ramp), 3, 1, "eager")
    names = {crop.tobytes(): name for name, crop in _variants(ramp[0], 1)}
    drawn = [names[image.tobytes()] for image in result]
    counts = np.array([drawn.count(name) for name in names.values()])
    assert len(counts) == 18 and counts.min() > 110 and counts.max() < 230  # expected 167


def test_no_padding_only_flips():
    result = _run(IMAGES, 0, 0, "eager")
    assert {_which(image, out, 0)[:2] for image, out in zip(IMAGES, result, strict=True)} == {
        (0, 0)
    }


@pytest.mark.parametrize("shape", [(2, 4, 9, 3), (2, 9, 9), (2, 6)])
def test_images_that_cannot_be_cropped_are_refused(shape):
    with pytest.raises(ValueError, match="H and W above the padding 4, received"):
        augment.crop_and_flip(tf.zeros(shape), [0, 0])


def test_standardise_by_hand_in_both_modes():
    apply = augment.standardise([10.0, 20.0], [2.0, 4.0])
    x = np.array([[[[12, 12]]]], np.uint8)
    dataset = tf.data.Dataset.from_tensors(x).map(apply)
    for result in (apply(tf.constant(x)), next(iter(dataset))):
        assert result.dtype == tf.float32
        np.testing.assert_array_equal(result.numpy().ravel(), [1.0, -2.0])


def test_zero_std_is_refused():
    with pytest.raises(ValueError, match="std: .* received 0"):
        augment.standardise([0.0], [0.0])
