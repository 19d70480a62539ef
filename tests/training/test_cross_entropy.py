"""Cross-entropy is Keras's own training."""

import keras
import numpy as np

from tests.models import CLASSIFIERS, elements
from tf_mwn.training.cross_entropy import CrossEntropy


def test_cross_entropy_is_keras_own_training():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    ours = CrossEntropy(build())
    theirs = keras.models.clone_model(ours.classifier)
    theirs.set_weights(ours.classifier.get_weights())
    options = {"learning_rate": 0.1, "momentum": 0.9}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours.compile(keras.optimizers.SGD(**options), metrics=["accuracy"])
    theirs.compile(keras.optimizers.SGD(**options), loss=loss, metrics=["accuracy"])
    stream = elements(shapes, steps=4)
    a = ours.fit(stream, epochs=2, verbose=0, shuffle=False).history
    b = theirs.fit(
        stream.map(lambda f, y: (f["inputs"], y)), epochs=2, verbose=0, shuffle=False
    ).history
    for x, y in zip(ours.classifier.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-5)
    np.testing.assert_allclose(a["accuracy"], b["accuracy"])
    assert set(a) == set(b), "a method without weights logs none"
