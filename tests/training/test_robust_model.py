"""The model of every method: metrics are built once, and the step is traced once."""

import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element, elements, mlp
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("name", ["mlp", "subclassed"])
def test_the_step_is_traced_once(name, one_hot, monkeypatch):
    """Metrics that made their variables within the step would have it traced a second time."""
    build, shapes = CLASSIFIERS[name]
    model, traces = MetaWeightNet(build()), []
    model.compile("sgd", metrics=["accuracy"])
    linearise = model.linearise
    monkeypatch.setattr(model, "linearise", lambda x: traces.append(x) or linearise(x))
    stream = elements(shapes, 3)
    if one_hot:
        stream = stream.map(lambda features, labels: (features, tf.one_hot(labels, 3)))
    history = model.fit(stream, epochs=2, verbose=0, shuffle=False).history
    assert len(traces) == 1
    assert len(history["accuracy"]) == 2


def test_metrics_are_built_for_data_that_tell_no_shapes():
    model, (features, labels) = MetaWeightNet(mlp()), element([(5,)])
    model.compile("sgd", metrics=["accuracy"])
    kinds = tf.nest.map_structure(lambda part: part.dtype, (features, labels))
    hidden = tf.data.Dataset.from_generator(lambda: iter([(features, labels)]), output_types=kinds)
    shaped = hidden.map(lambda x, y: ({**x, "inputs": tf.ensure_shape(x["inputs"], [None, 5])}, y))
    assert shaped.element_spec[1].shape.rank is None
    model.build_metrics(shaped)
    assert all(getattr(metric, "built", True) for metric in model.metrics)
