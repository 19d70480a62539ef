"""Networks as a user would write them, right and wrong, for the tests of dotted paths."""

import keras


def functional(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(num_classes)(keras.layers.Flatten()(inputs)))


def not_built(input_shape, num_classes):
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(num_classes)])


def probabilities(input_shape, num_classes):
    model = functional(input_shape, num_classes)
    return keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0]))


def another_size(input_shape, num_classes):
    return functional(input_shape, num_classes + 1)


def another_input(input_shape, num_classes):
    return functional((3, 3, 1), num_classes)


def no_model(input_shape, num_classes):
    return "model"


def failing(input_shape, num_classes):
    raise RuntimeError("first line\nsecond line")


NUMBER = 3
