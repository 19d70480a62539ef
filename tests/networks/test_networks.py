"""Networks: names, parameter counts, shapes by hand, initial values, saving, precision."""

import keras
import numpy as np
import pytest

from tests.networks.small_networks import SMALL
from tf_mwn import networks


def _trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


@pytest.mark.parametrize(
    "name, count, shape",
    [
        ("resnet20", 269_722, (32, 32, 3)),
        ("resnet32", 464_154, (32, 32, 3)),  # 0.46 M
        ("resnet56", 853_018, (32, 32, 3)),  # 0.85 M
        ("wrn_16_4", 2_748_890, (32, 32, 3)),  # 2.7 M
        ("wrn_28_10", 36_479_194, (32, 32, 3)),  # 36.5 M
        ("preact_resnet18", 11_172_170, (32, 32, 3)),  # 11.17 M
        ("preact_resnet34", 21_280_330, (32, 32, 3)),
        ("cnn9", 4_434_570, (32, 32, 3)),
        ("lenet", 61_706, (28, 28, 1)),
        ("lenet", 61_706, (32, 32, 1)),
    ],
)
def test_parameter_counts_are_the_published_ones(name, count, shape):
    assert _trainable(networks.build(name, shape, 10)) == count


def test_resnet50_has_the_published_size():
    model = networks.build("applications/ResNet50", (32, 32, 3), 1000)
    assert _trainable(model) == 25_557_032 + 26_560  # torchvision's, and Keras' convolution biases


def _shapes(name, kind, shape=(32, 32, 3)):
    model = networks.build(name, shape, 10)
    return [tuple(x.output.shape[1:]) for x in model.layers if isinstance(x, kind)]


def test_shapes_by_hand():
    convolutions = _shapes("resnet8", keras.layers.Conv2D)
    assert convolutions == [(32, 32, 16)] * 3 + [(16, 16, 32)] * 2 + [(8, 8, 64)] * 2
    assert _shapes("wrn_10_2", keras.layers.Add) == [(32, 32, 32), (16, 16, 64), (8, 8, 128)]
    assert _shapes("preact_resnet18", keras.layers.Add)[1::2] == [
        (32, 32, 64),
        (16, 16, 128),
        (8, 8, 256),
        (4, 4, 512),
    ]
    assert _shapes("cnn9", keras.layers.Conv2D)[5:] == [
        (16, 16, 256),
        (6, 6, 512),
        (4, 4, 256),
        (2, 2, 128),
    ]
    assert _shapes("lenet", keras.layers.AveragePooling2D) == [(14, 14, 6), (5, 5, 16)]


def test_dropout_is_where_it_was_asked_for():
    model = networks.build("wrn_10_1_0.3", (8, 8, 3), 3)
    rates = [x.rate for x in model.layers if isinstance(x, keras.layers.Dropout)]
    assert rates == [0.3] * 3
    model = networks.build("wrn_10_1", (8, 8, 3), 3)
    assert not any(isinstance(x, keras.layers.Dropout) for x in model.layers)


@pytest.mark.parametrize("name, shape", SMALL)
def test_saved_networks_load_without_custom_objects(name, shape, tmp_path):
    model = networks.build(name, shape, 3)
    assert tuple(model.output.shape) == (None, 3)
    path = str(tmp_path / "model.keras")
    model.save(path)
    inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    want = model(inputs, training=False)
    np.testing.assert_array_equal(keras.models.load_model(path)(inputs, training=False), want)


@pytest.mark.parametrize("name, shape", SMALL[:7])
def test_logits_are_float32_in_mixed_precision(name, shape):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = networks.build(name, shape, 3)
        inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
        logits = model(inputs, training=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert logits.dtype == "float32" and np.all(np.isfinite(logits))
    assert all(variable.dtype == "float32" for variable in model.trainable_variables)


def test_same_seed_same_network():
    for _ in range(2):
        keras.utils.set_random_seed(3)
        first, second = (networks.build("resnet8", (8, 8, 3), 3) for _ in range(2))
    keras.utils.set_random_seed(3)
    again = networks.build("resnet8", (8, 8, 3), 3)
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


@pytest.mark.parametrize("name", ["small_cnn", "resnet32", "wrn_28_10", "preact_resnet18", "cnn9"])
@pytest.mark.parametrize("shape", [(5,), (4, 4, 3), (16, 16)])
def test_inputs_that_are_no_images_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"expected images \[H, W, channels\] of at least"):
        networks.build(name, shape, 10)


def test_weights_of_a_file_are_loaded(tmp_path):
    path = str(tmp_path / "a.weights.h5")
    model = networks.build("mlp", (5,), 3)
    model.save_weights(path)
    loaded = networks.build("mlp", (5,), 3, weights=path)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="a.weights.h5, received"):
        networks.build("mlp", (5,), 4, weights=path)
    with pytest.raises(ValueError, match="received imagenet, which does not exist"):
        networks.build("mlp", (5,), 3, weights="imagenet")


def test_listing_networks_imports_no_tensorflow():
    import pathlib
    import subprocess
    import sys

    code = (
        "import sys\nfrom tf_mwn import networks\nnetworks.check_network('wrn_16_8')\n"
        "sys.exit(sum(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    root = pathlib.Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
