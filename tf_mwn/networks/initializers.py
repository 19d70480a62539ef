"""Initialisation of the papers' networks."""

import keras


def kaiming_normal() -> keras.initializers.Initializer:
    """N(0, 2 / fan_in), not truncated (He et al., 2015, as in the authors' code)."""
    return keras.initializers.VarianceScaling(
        scale=2.0, mode="fan_in", distribution="untruncated_normal"
    )


def batch_norm(name: str | None = None) -> keras.layers.BatchNormalization:
    """Batch norm at the papers' settings: running momentum 0.9, epsilon 1e-5."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def logits_layer(features: int, num_classes: int) -> keras.layers.Dense:
    """The last layer: Kaiming-normal kernel, bias uniform in ±1/sqrt(features), float32."""
    bound = features**-0.5
    return keras.layers.Dense(
        num_classes,
        kernel_initializer=kaiming_normal(),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        dtype=keras.config.floatx(),
        name="logits",
    )


def check_image(network: str, input_shape: tuple[int, ...], least: int = 8) -> None:
    """Refuses inputs that are no images of at least `least` pixels a side."""
    if len(input_shape) != 3 or min(input_shape[:2]) < least:
        raise ValueError(
            f"network {network}: expected images [H, W, channels] of at least {least} x {least} "
            f"pixels, received inputs of shape {input_shape}; try --network=mlp"
        )
