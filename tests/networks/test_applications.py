"""Pretrained bodies of Keras."""

import keras
import numpy as np
import pytest

from tf_mwn import networks


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
    assert networks.takes_raw("applications/MobileNetV2", path)
    assert not networks.takes_raw("applications/MobileNetV2")
    assert not networks.takes_raw("resnet32", path)
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
    ((32, 32, 3), __file__, "weights without top from .*test_applications.py"),
]


@pytest.mark.parametrize("shape, weights, message", BAD_APPLICATIONS)
def test_applications_refuse_what_does_not_fit(shape, weights, message):
    with pytest.raises(ValueError, match=message) as caught:
        networks.build("applications/MobileNetV2", shape, 4, weights=weights)
    assert "\n" not in str(caught.value)
