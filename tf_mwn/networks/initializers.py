"""Initialisation of the papers' networks."""

import keras


def kaiming_normal() -> keras.initializers.Initializer:
    """N(0, 2 / fan_in), not truncated (He et al., 2015, as in the authors' code)."""
    return keras.initializers.VarianceScaling(
        scale=2.0, mode="fan_in", distribution="untruncated_normal"
    )


def kaiming_fan_out() -> keras.initializers.Initializer:
    """N(0, 2 / fan_out), not truncated: deviation sqrt(2 / (k^2 out)) for a k x k convolution."""
    return keras.initializers.VarianceScaling(
        scale=2.0, mode="fan_out", distribution="untruncated_normal"
    )


def uniform_fan_in() -> keras.initializers.Initializer:
    """Uniform in ±1/sqrt(fan_in), the default of the frameworks that some papers used."""
    return keras.initializers.VarianceScaling(
        scale=1.0 / 3.0, mode="fan_in", distribution="uniform"
    )


def uniform_bias(fan_in: int) -> keras.initializers.Initializer:
    """Uniform in ±1/sqrt(fan_in), for the bias of a layer."""
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)


def batch_norm(name: str | None = None) -> keras.layers.BatchNormalization:
    """Batch norm at the papers' settings: running momentum 0.9, epsilon 1e-5."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def logits_layer(features: int, num_classes: int) -> keras.layers.Dense:
    """The last layer: Kaiming-normal kernel, bias uniform in ±1/sqrt(features), float32."""
    return keras.layers.Dense(
        num_classes,
        kernel_initializer=kaiming_normal(),
        bias_initializer=uniform_bias(features),
        dtype=keras.config.floatx(),
        name="logits",
    )


def convolution(x, filters: int, kernel: int = 3, stride: int = 1, initializer=None):
    """A square convolution without bias, padded alike on both sides by half its kernel.

    Args:
        x: images [B, H, W, channels].
        filters: channels of the result.
        kernel: odd size.
        stride: stride; the result has ceil(H / stride) rows.
        initializer: of the kernel; Kaiming-normal by default.
    """
    padding = "same"
    if stride > 1 and kernel > 1:
        # "same" would pad a strided convolution on one side only; the papers' code pads both.
        x, padding = keras.layers.ZeroPadding2D(kernel // 2)(x), "valid"
    return keras.layers.Conv2D(
        filters,
        kernel,
        stride,
        padding,
        use_bias=False,
        kernel_initializer=initializer or kaiming_normal(),
    )(x)


def check_image(network: str, input_shape: tuple[int, ...], least: int = 8) -> None:
    """Refuses inputs that are not images of at least `least` pixels a side."""
    if len(input_shape) != 3 or min(input_shape[:2]) < least:
        raise ValueError(
            f"network {network}: expected images [H, W, channels] of at least {least} x {least} "
            f"pixels, received inputs of shape {input_shape}; try --network=mlp"
        )
