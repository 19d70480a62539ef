"""The network of each fit, made from what the user gave."""

import contextlib
import random
from collections.abc import Callable, Iterator

import keras
import numpy as np

from tf_mwn.estimators.inputs import Inputs, rows_of
from tf_mwn.training.classifiers import new_classifier, num_classes

Network = keras.Model | Callable[[Inputs, int], keras.Model]


def new_network(model: Network, inputs: Inputs, classes: int) -> keras.Model:
    """A built network with new weights and a logit for each class.

    Raises:
        TypeError: neither a Keras model nor a function that returns one.
        ValueError: another number of logits.
    """
    if isinstance(model, keras.Model):
        network = new_classifier(model)
    elif callable(model):
        network = model(inputs, classes)
    else:
        network = model
    if not isinstance(network, keras.Model):
        raise TypeError(
            "model: expected a keras.Model or a function (X, n_classes) that returns one, received "
            f"{type(network).__name__}"
        )
    if not network.built:
        network(rows_of(inputs, np.arange(1)))
    logits = num_classes(network)
    if logits not in (None, classes):
        raise ValueError(
            f"model: expected {classes} logits, one for each class of y, received {logits}"
        )
    return network


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draws within the block follow from `seed`.

    The generators of Python and NumPy are put back, for they are the user's. The global seeds of
    Keras and TensorFlow cannot be, and stay set.
    """
    states = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
