"""Data noise: what each kind makes of images."""

import numpy as np
import pytest

from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS, alter_images
from tf_mwn.data.seeds import generator

MEAN, STD = np.array([120.0, 100.0, 80.0]), np.array([20.0, 30.0, 10.0])


IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)


def _alter(kind, images=IMAGES, seed=0):
    return alter_images(images, kind, MEAN, STD, generator(seed, "data noise"))


def _sorted_pixels(images):
    """Each image's pixels in one order that any order of them shares."""
    codes = images.astype(np.int64) @ [1, 256, 65536]
    return np.sort(codes.reshape(len(images), -1), axis=1)


def test_gaussian_images_have_mean_and_deviation_of_the_set():
    images = _alter("gaussian", np.repeat(IMAGES, 20, axis=0))
    assert images.dtype == np.uint8
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), MEAN, atol=1)
    np.testing.assert_allclose(images.std(axis=(0, 1, 2)), STD, rtol=0.03)
    assert _alter("gaussian", IMAGES.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("kind", ["shuffled_pixels", "random_pixels"])
def test_shuffled_images_keep_their_pixels(kind):
    images = _alter(kind)
    np.testing.assert_array_equal(_sorted_pixels(images), _sorted_pixels(IMAGES))
    assert not np.array_equal(images, IMAGES)


def test_shuffled_pixels_are_one_order_and_random_pixels_many(monkeypatch):
    same = np.broadcast_to(IMAGES[0], IMAGES.shape)
    assert len(np.unique(_alter("shuffled_pixels", same), axis=0)) == 1
    assert len(np.unique(_alter("random_pixels", same), axis=0)) == len(same)
    whole = _alter("shuffled_pixels")
    monkeypatch.setattr("tf_mwn.data.bias.data_noise._CHUNK", 7)
    np.testing.assert_array_equal(_alter("shuffled_pixels"), whole)


def test_corrupted_images_are_altered_in_four_ways():
    images = np.zeros((200, 8, 8, 1), np.uint8)
    images[:, :, 4:] = 200
    altered = alter_images(images, "corrupted", MEAN[:1], STD[:1], generator(0, "x"))
    values = [set(np.unique(image)) for image in altered]
    kinds = {
        "contrast": sum(v == {75, 125} for v in values),
        "cover": sum(v == {0, 100, 200} for v in values),
        "blur": sum(v == {0, 40, 80, 120, 160, 200} for v in values),
    }
    kinds["noise"] = 200 - sum(kinds.values())
    assert min(kinds.values()) > 30
    np.testing.assert_array_equal(altered.shape, images.shape)


@pytest.mark.parametrize("kind", DATA_NOISE_KINDS)
def test_images_depend_on_the_seed_alone_and_empty_ones_stay_empty(kind):
    np.testing.assert_array_equal(_alter(kind), _alter(kind))
    assert np.array_equal(_alter(kind), _alter(kind, seed=1)) == (kind == "none")
    assert _alter(kind, IMAGES[:0]).shape == (0, 8, 8, 3)


def test_inputs_that_are_no_images_are_refused():
    with pytest.raises(
        ValueError, match=r"data_noise: .* for gaussian, received inputs of shape \[5, 3"
    ):
        _alter("gaussian", np.zeros((5, 3)))
