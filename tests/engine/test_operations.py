"""Operations without a second derivative, and layers that assign variables, are named."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn import L2RW, CrossEntropy, MetaWeightNet, paired_dataset

L = keras.layers
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 6, 6, 1)).astype("float32"), RNG.integers(0, 3, 8)


def with_layer(layer, behind=True):
    inputs = keras.Input((6, 6, 1))
    x = layer(L.Conv2D(3, 3, padding="same")(inputs))
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(x)) if behind else x)


def fit(model, **options):
    model.compile("sgd", **options)
    model.fit(paired_dataset(X, Y, X, Y, batch_size=4), verbose=0)


def response_normalization():
    return L.Lambda(tf.nn.local_response_normalization, name="lrn")


LAYERS = {
    "LRN": response_normalization,
    # TensorFlow takes this one for zero, without a word.
    "ResizeBilinear": lambda: L.UpSampling2D(2, interpolation="bilinear", name="lrn"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_without_a_second_derivative_is_named_with_a_cure_that_works(name):
    message = rf"lacks for {name}, received it in layer 'lrn'; choose virtual_variables='head'"
    with pytest.raises(ValueError, match=message):
        fit(MetaWeightNet(with_layer(LAYERS[name]())))
    fit(MetaWeightNet(with_layer(LAYERS[name]()), virtual_variables="head"))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda c: MetaWeightNet(c, reuse_gradient=True), {}),
        (MetaWeightNet, {"run_eagerly": True}),
        (lambda c: L2RW(c, 8), {}),
    ],
)
def test_every_way_to_step_finds_it(make, options):
    with pytest.raises(ValueError, match="lacks for ResizeBilinear, received it in layer 'lrn'"):
        fit(make(with_layer(LAYERS["ResizeBilinear"]())), **options)


def test_a_layer_behind_the_last_kernel_has_another_cure():
    pooled = keras.Sequential([response_normalization(), L.GlobalAveragePooling2D()])
    with pytest.raises(ValueError, match="put another layer in its place, or train by a method"):
        fit(MetaWeightNet(with_layer(pooled, behind=False)))


def test_plain_training_needs_no_second_derivative():
    fit(CrossEntropy(with_layer(response_normalization())))


class Counter(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = tf.Variable(0.0)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            lambda: L.SpectralNormalization(L.Conv2D(2, 3), name="normalised"),
            "received SpectralNormalization 'normalised', which assigns .*kernel in its call",
        ),
        (lambda: Counter(name="counter"), "received 'counter', which assigns a tf.Variable"),
    ],
)
def test_layers_that_assign_variables_are_named(layer, message):
    model = CrossEntropy(with_layer(layer()))
    before = model.classifier.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(model)
    for one, other in zip(before, model.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weight_constraints_hold_after_every_step():
    constraint = keras.constraints.MaxNorm(0.1, axis=[0, 1, 2])
    model = CrossEntropy(with_layer(L.Conv2D(2, 3, kernel_constraint=constraint)))
    fit(model)
    kernel = model.classifier.layers[2].kernel.numpy()
    assert np.linalg.norm(kernel.reshape(-1, 2), axis=0).max() < 0.1001
