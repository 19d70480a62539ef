"""Batch norm in one kernel each for the forward pass, its pullback and the pullback's transpose.

Keras computes batch norm in separate operations, which cost more than the convolutions of a
network on a CPU. TensorFlow has kernels for the whole of it, but its second derivative falls back
to separate operations. With x̂ the normalised input, means over all axes but the last, and

    P(d) = γ/√(σ²+ε) (d - mean(d) - x̂ mean(d x̂)),

the pullback is dx = P(dy), dγ = Σ dy x̂, dβ = Σ dy. P is its own transpose, so that the transpose
of the pullback is P(u_x) + u_γ x̂ + u_β, and the kernels compute all three maps.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine.keras_internals import every_layer
from tf_mwn.tensors import Tensor

_AXES = (0, 1, 2)  # of the kernels' inputs, [N, 1, 1, C] or [B, H, W, C]
_keras_call = keras.layers.BatchNormalization.call
_here = threading.local()  # has `depth` where this thread is in a `fused_batch_norm` block
_lock, _blocks = threading.Lock(), 0  # blocks of all threads


@contextlib.contextmanager
def fused_batch_norm(fuses: bool = True) -> Iterator[None]:
    """Keras' batch norm takes the fused kernels within the block, where they fit it.

    Layers and models stay as they are. Other threads, such as those of other replicas, go on as
    before unless they are in a block of their own.

    Args:
        fuses: False for a block without effect.
    """
    global _blocks
    if not fuses:
        yield
        return
    with _lock:
        _blocks += 1
        keras.layers.BatchNormalization.call = _call
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1
        with _lock:
            _blocks -= 1
            if not _blocks:
                keras.layers.BatchNormalization.call = _keras_call


def why_not_fused(layer: keras.layers.Layer) -> str | None:
    """What keeps a built batch norm from the kernels, as in "axis 1"; None if nothing does."""
    ndim = layer.input_spec.ndim if layer.built else None
    reasons = {
        # It may override any part of the computation.
        f"the class {type(layer).__name__}": type(layer) is not keras.layers.BatchNormalization,
        "no inputs so far": ndim is None,
        # The kernels have a cost of their own, and would be slower on so few numbers.
        "inputs of shape [B, C]": ndim == 2,
        f"axis {layer.axis}": ndim is not None and layer.axis not in (-1, ndim - 1),
        "trainable=False": not layer.trainable,
        "synchronized=True": layer.synchronized,
        "renorm=True": layer.renorm,
        # There are no kernels for it. Keras computes lower precisions in float32, as done here.
        "float64": layer.compute_dtype == "float64",
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def check_fits(classifier: keras.Model) -> None:
    """Raises ValueError if no batch norm of `classifier` can take the kernels."""
    layers = [x for x in every_layer(classifier) if isinstance(x, keras.layers.BatchNormalization)]
    reasons = {layer.name: why_not_fused(layer) for layer in layers}
    if all(reasons.values()):
        first = next(iter(reasons), None)
        why = f"{first} has {reasons[first]}" if reasons else "there is no batch norm"
        raise ValueError(
            "fused_batch_norm: expected 'auto' or 'off' for a classifier none of whose batch "
            f"norms fits the kernels, received 'on' ({why})"
        )


@functools.wraps(_keras_call)
def _call(self: Any, inputs: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
    fits = (
        getattr(_here, "depth", 0)
        and isinstance(training, (bool, int))
        and training
        and mask is None
        and isinstance(inputs, tf.Tensor)
        and inputs.dtype in (tf.float32, tf.float16, tf.bfloat16)
        and why_not_fused(self) is None
    )
    return _fused_call(self, inputs) if fits else _keras_call(self, inputs, training, mask)


def _fused_call(layer: keras.layers.BatchNormalization, inputs: Tensor) -> Tensor:
    """Outputs of a layer in training mode; assigns its moving statistics as Keras does."""
    x = tf.cast(inputs, tf.float32)
    size, shape = x.shape[-1], tf.shape(x)
    if x.shape.rank != 4:
        x = tf.reshape(x, [-1, 1, 1, size])
    gamma = tf.cast(layer.gamma, tf.float32) if layer.scale else tf.ones([size])
    beta = tf.cast(layer.beta, tf.float32) if layer.center else tf.zeros([size])
    outputs, mean, variance = normalised(x, gamma, beta, layer.epsilon)
    for moving, new in zip(
        (layer.moving_mean, layer.moving_variance), _moments(x, mean, variance), strict=True
    ):
        old = tf.cast(moving, tf.float32)
        moving.assign(old * layer.momentum + new * (1.0 - layer.momentum))
    if inputs.shape.rank != 4:
        outputs = tf.reshape(outputs, shape)
        outputs.set_shape(inputs.shape)  # which a reshape does not know where sizes are unknown
    return tf.cast(outputs, layer.compute_dtype)


def normalised(
    x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """γ x̂ + β, and the statistics that x̂ is made with.

    Derivatives of every order in `x`, `gamma` and `beta` are right. The statistics are constants
    to a gradient; `_moments` gives them a derivative.

    Args:
        x: [B, H, W, C], float32.
        gamma: [C].
        beta: [C].
        epsilon: added to the variance.

    Returns:
        [B, H, W, C]; the mean [C] and the biased variance [C] of `x`.
    """

    @tf.custom_gradient
    def forward(x: Tensor, gamma: Tensor, beta: Tensor) -> Any:
        result = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=epsilon, is_training=True
        )
        size = tf.cast(tf.size(x) // tf.size(gamma), x.dtype)
        # The kernel's variance is the unbiased one.
        variance = result.batch_variance * tf.maximum(size - 1, 1) / size
        saved = (result.batch_mean, variance, *result[3:])

        def backward(d_outputs: Tensor, d_mean: Tensor, d_variance: Tensor) -> Any:
            return _pullback(d_outputs, x, gamma, saved, epsilon)

        return (result.y, result.batch_mean, variance), backward

    return forward(x, gamma, beta)


def _pullback(
    cotangent: Tensor, x: Tensor, gamma: Tensor, saved: Sequence[Tensor], epsilon: float
) -> Any:
    """P(cotangent), Σ cotangent x̂ and Σ cotangent; `saved` is what the forward kernel left."""

    @tf.custom_gradient
    def pullback(
        cotangent: Tensor,
        x: Tensor,
        gamma: Tensor,
        mean: Tensor,
        variance: Tensor,
        *reserved: Tensor,
    ) -> Any:
        first, second, third = reserved
        gradient = tf.raw_ops.FusedBatchNormGradV3(
            y_backprop=cotangent,
            x=x,
            scale=gamma,
            reserve_space_1=first,
            reserve_space_2=second,
            reserve_space_3=third,
            epsilon=epsilon,
            is_training=True,
        )[:3]

        def backward(*directions: Tensor) -> Any:
            along_x, along_gamma, along_beta = directions
            pushed = _pullback(along_x, x, gamma, saved, epsilon)[0]
            pushed += _affine(x, along_gamma, along_beta, saved, epsilon)
            # Pruned from a graph that does not use it.
            bent = _derivative_in_x_and_gamma(directions, cotangent, x, gamma, epsilon)
            return pushed, *bent, *[None] * len(saved)

        return gradient, backward

    return pullback(cotangent, x, gamma, *saved)


def _affine(
    x: Tensor, gamma: Tensor, beta: Tensor, saved: Sequence[Tensor], epsilon: float
) -> Tensor:
    """γ x̂ + β by the kernel of inference, which takes x̂'s statistics as given.

    Its derivative is that of `normalised`.
    """

    @tf.custom_gradient
    def forward(
        x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *reserved: Tensor
    ) -> Any:
        outputs = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=gamma,
            offset=beta,
            mean=mean,
            variance=variance,
            epsilon=epsilon,
            is_training=False,
        ).y

        def backward(d_outputs: Tensor) -> Any:
            return *_pullback(d_outputs, x, gamma, saved, epsilon), *[None] * len(saved)

        return outputs, backward

    return forward(x, gamma, beta, *saved)


def _derivative_in_x_and_gamma(
    directions: Sequence[Tensor], cotangent: Tensor, x: Tensor, gamma: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The gradient of <pullback(cotangent), directions> in x and gamma, by plain operations."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch((x, gamma))
        gradient = plain_pullback(cotangent, x, gamma, epsilon)
    return tape.gradient(gradient, (x, gamma), output_gradients=directions)


def plain_pullback(
    cotangent: Tensor, x: Tensor, gamma: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The pullback of `normalised` by plain operations of any precision; `x` decides x̂."""
    mean = tf.reduce_mean(x, _AXES)
    centred = x - mean
    inverse = tf.math.rsqrt(tf.reduce_mean(tf.square(centred), _AXES) + epsilon)
    x_hat = centred * inverse
    d_gamma = tf.reduce_sum(cotangent * x_hat, _AXES)
    d_beta = tf.reduce_sum(cotangent, _AXES)
    size = tf.cast(tf.size(x) // tf.size(gamma), x.dtype)
    return gamma * inverse * (cotangent - d_beta / size - x_hat * d_gamma / size), d_gamma, d_beta


@tf.custom_gradient
def _moments(x: Tensor, mean: Tensor, variance: Tensor) -> Any:
    """The given mean [C] and biased variance [C] of x, with their derivative in x.

    Not in forward mode, which TensorFlow takes through the operations themselves, where these two
    are constants.
    """
    reason = "fused batch norm has no forward mode; take fuses=False"

    def backward(d_mean: Tensor, d_variance: Tensor) -> Any:
        size = tf.cast(tf.size(x) // tf.size(mean), x.dtype)
        centred = x - tf.reduce_mean(x, _AXES)
        return (d_mean + 2.0 * centred * d_variance) / size, None, None

    kept = [tf.raw_ops.PreventGradient(input=part, message=reason) for part in (mean, variance)]
    return kept, backward
