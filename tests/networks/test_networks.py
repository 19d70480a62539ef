"""Networks: names, parameter counts, shapes by hand, initial values, saving, precision."""

import keras
import numpy as np
import pytest

from tf_mwn import networks
from tf_mwn.networks.initializers import (
    convolution,
    kaiming_fan_out,
    kaiming_normal,
    uniform_fan_in,
)

SMALL = [
    ("mlp", (5,)),
    ("small_cnn", (8, 8, 1)),
    ("lenet", (16, 16, 1)),
    ("cnn9", (28, 28, 1)),
    ("resnet8", (8, 8, 3)),
    ("wrn_10_1_0.3", (8, 8, 3)),
    ("preact_resnet18", (8, 8, 3)),
    ("applications/MobileNetV2", (32, 32, 3)),
    ("tests.networks.own_models:functional", (4, 4, 2)),
]


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


def test_strided_convolution_is_padded_on_both_sides():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, convolution(inputs, 1, 3, 2, keras.initializers.Ones()))
    ones = np.ones((1, 4, 4, 1), np.float32)
    # Windows centred on pixels 0 and 2 of each axis: 2 and 3 of their 3 pixels are inside.
    np.testing.assert_array_equal(model(ones)[0, :, :, 0], [[4, 6], [6, 9]])


def test_initial_deviations():
    shape = (3, 3, 64, 256)
    for initializer, std in (
        (kaiming_normal(), np.sqrt(2 / (9 * 64))),
        (kaiming_fan_out(), np.sqrt(2 / (9 * 256))),
        (uniform_fan_in(), 1 / np.sqrt(3 * 9 * 64)),
    ):
        values = np.asarray(initializer(shape))
        assert values.std() == pytest.approx(std, rel=0.02) and abs(values.mean()) < 1e-3
    assert np.abs(values).max() <= 1 / np.sqrt(9 * 64)


@pytest.mark.parametrize("name, shape", SMALL[1:7])
def test_batch_norm_is_that_of_the_papers(name, shape):
    model = networks.build(name, shape, 3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)


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


UNKNOWN = [
    ("resnet30", r"expected resnet<6n\+2>, received 'resnet30'; did you mean 'resnet32'"),
    ("resnet2", "did you mean 'resnet8'"),
    ("resnet_32", "did you mean 'resnet32'"),
    ("wrn_27_10", "did you mean 'wrn_28_10'"),
    ("wrn-28-10", "did you mean 'wrn_28_10'"),
    ("wrn_28_0", "did you mean 'wrn_28_1'"),
    ("wrn_28_10_1.5", "did you mean 'wrn_28_10_0.3'"),
    ("preact_resnet50", "did you mean 'preact_resnet34'"),
    ("applications/resnet50", "did you mean 'applications/ResNet50'"),
    ("applications/", "expected applications/<Name>, received 'applications/'"),
    ("small_cn", "did you mean 'small_cnn'"),
    ("", "network: expected one of .*, received ''"),
    ("my model:build", "network: expected one of"),
]


@pytest.mark.parametrize("name, message", UNKNOWN)
def test_wrong_names_are_refused_with_the_nearest(name, message):
    for refuse in (networks.check_network, lambda n: networks.build(n, (32, 32, 3), 10)):
        with pytest.raises(ValueError, match=message) as caught:
            refuse(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*networks.NETWORKS, "resnet110", "wrn_40_2", "a.b:c"])
def test_right_names_are_accepted(name):
    networks.check_network(name)


@pytest.mark.parametrize("name", ["small_cnn", "resnet32", "wrn_28_10", "preact_resnet18", "cnn9"])
@pytest.mark.parametrize("shape", [(5,), (4, 4, 3), (16, 16)])
def test_inputs_that_are_no_images_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"expected images \[H, W, channels\] of at least"):
        networks.build(name, shape, 10)


OWN = "tests.networks.own_models:"
BAD_OWN = [
    ("no_such_package.models:build", ValueError, "imported, received 'no_such_package.models:bu"),
    (OWN + "missing", ValueError, "own_models:missing' .*has no attribute"),
    (OWN + "NUMBER", ValueError, "own_models:NUMBER', which is none"),
    (OWN + "no_model", TypeError, "expected a keras.Model, received str"),
    (OWN + "failing", ValueError, "received RuntimeError: first line second line"),
    (OWN + "probabilities", ValueError, "expected logits, received probabilities"),
    (OWN + "another_size", ValueError, r"logits of shape \(None, 10\), received \(None, 11\)"),
    (OWN + "another_input", ValueError, r"expected a model of inputs \(4, 4, 2\), received"),
]


@pytest.mark.parametrize("name, error, message", BAD_OWN)
def test_own_networks_that_cannot_be_used_are_refused(name, error, message):
    with pytest.raises(error, match=message) as caught:
        networks.build(name, (4, 4, 2), 10)
    assert "\n" not in str(caught.value)


def test_own_network_is_built_on_the_way():
    model = networks.build(OWN + "not_built", (4, 4, 2), 10)
    assert model.built and _trainable(model) == 330


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


def test_pretrained_body_takes_pixels_and_is_loaded_from_a_file(tmp_path):
    path, shape = str(tmp_path / "body.weights.h5"), (32, 32, 3)
    body = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=shape, pooling="avg"
    )
    body.save_weights(path)
    model = networks.build("applications/MobileNetV2", shape, 4, weights=path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype("float32")
    features = body(pixels / 127.5 - 1.0, training=False)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(
        model(pixels, training=False), features @ kernel + bias, rtol=1e-4, atol=1e-5
    )
    assert networks.takes_pixels("applications/MobileNetV2", path)
    assert not networks.takes_pixels("applications/MobileNetV2")
    assert not networks.takes_pixels("resnet32", path)
    model.save(str(tmp_path / "model.keras"))
    again = keras.models.load_model(str(tmp_path / "model.keras"))
    np.testing.assert_array_equal(again(pixels, training=False), model(pixels, training=False))


def test_pixels_of_the_resnets_are_turned_to_blue_first_and_saved(tmp_path, monkeypatch):
    from tf_mwn.networks import applications

    inputs = keras.Input((2, 2, 3))
    body = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    monkeypatch.setattr(applications, "_body", lambda *_: body)
    model = networks.build("applications/ResNet50", (2, 2, 3), 3, weights="any")
    model.get_layer("logits").set_weights([np.eye(3), np.zeros(3)])
    model.save(str(tmp_path / "model.keras"))
    pixels = np.full((1, 2, 2, 3), (10.0, 20.0, 30.0), np.float32)
    for each in (model, keras.models.load_model(str(tmp_path / "model.keras"))):
        np.testing.assert_allclose(
            each(pixels)[0], [30 - 103.939, 20 - 116.779, 10 - 123.68], rtol=1e-5
        )


BAD_APPLICATIONS = [
    ((8, 8, 3), None, "expected images it can take, received inputs of shape"),
    ((32, 32, 1), "imagenet", "expected RGB images with pretrained weights"),
    ((32, 32, 3), "no.h5", "received no.h5, which does not exist"),
    ((32, 32, 3), __file__, "weights without top from .*test_networks.py"),
]


@pytest.mark.parametrize("shape, weights, message", BAD_APPLICATIONS)
def test_applications_refuse_what_does_not_fit(shape, weights, message):
    with pytest.raises(ValueError, match=message) as caught:
        networks.build("applications/MobileNetV2", shape, 4, weights=weights)
    assert "\n" not in str(caught.value)


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
