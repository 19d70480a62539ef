"""Networks of keras.applications with a head of logits, with or without pretrained weights."""

import importlib
import os
import pkgutil

import keras

from tf_mwn.networks.initializers import logits_layer

PREFIX = "applications/"


def application_names() -> list[str]:
    """Returns the names of keras.applications, such as "ResNet50"."""
    return [name for name in dir(keras.applications) if name[0].isupper()]


def application(
    input_shape: tuple[int, ...], num_classes: int, name: str, weights: str | None = None
) -> keras.Model:
    """A network of keras.applications without its top, then average pooling and logits.

    Without weights, inputs are standardised ones like those of any other network. With pretrained
    weights, inputs are RGB pixels from 0 to 255, and the model preprocesses them as its weights
    need.

    Args:
        input_shape: (H, W, channels), at least the network's smallest size.
        num_classes: number of logits.
        name: A name of keras.applications.
        weights: None, "imagenet" (downloaded by Keras, or from its cache), or the path of a
            weights file without top.

    Raises:
        ValueError: A shape the network cannot take, or weights that are missing or do not fit.
    """
    if weights is not None and input_shape[-1] != 3:
        raise ValueError(
            f"network {PREFIX}{name}: expected RGB images with pretrained weights, "
            f"received inputs of shape {input_shape}"
        )
    inputs = keras.Input(input_shape, name="inputs")
    x = inputs if weights is None else _preprocess(name)(inputs)
    body = _body(name, input_shape, weights)
    outputs = logits_layer(body.output_shape[-1], num_classes)(body(x))
    return keras.Model(inputs, outputs, name=name.lower())


def _body(name: str, input_shape: tuple[int, ...], weights: str | None) -> keras.Model:
    if weights not in (None, "imagenet") and not os.path.isfile(weights):
        raise ValueError(
            f"network_weights: expected imagenet or the path of a weights file for {PREFIX}{name}, "
            f"received {weights}, which does not exist"
        )
    build = getattr(keras.applications, name)
    try:
        return build(include_top=False, weights=weights, input_shape=input_shape, pooling="avg")
    except Exception as error:  # wrong shapes or files, and anything a download raises
        reason = " ".join(str(error).split())[:200]
        if weights is None:
            raise ValueError(
                f"network {PREFIX}{name}: expected images it can take, received inputs of shape "
                f"{input_shape} ({reason})"
            ) from error
        raise ValueError(
            f"network {PREFIX}{name}: expected weights without top from {weights} (a file is given "
            f"by its path), received {reason}"
        ) from error


def _preprocess(name: str):
    """Returns the network's own preprocessing of pixels, made of operations that Keras can save."""
    for module in pkgutil.iter_modules(keras.applications.__path__):
        found = importlib.import_module(f"keras.applications.{module.name}")
        if hasattr(found, name) and hasattr(found, "preprocess_input"):
            return found.preprocess_input
    raise ValueError(f"network: expected a name of keras.applications, received {name!r}")
