"""Every method of the registry through the same properties; a row without a case here fails."""

import dataclasses

import keras
import numpy as np
import pytest

from tf_mwn.data.pipeline import training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.experiments.config import Config
from tf_mwn.methods import registry
from tf_mwn.methods.facts import SOURCES, TrainingFacts

BATCH, CLASSES, FEATURES = 20, 3, 6
rng = np.random.default_rng(0)
CENTRES = 3.0 * rng.normal(size=(CLASSES, FEATURES))


FACTS = TrainingFacts(
    num_classes=CLASSES,
    num_examples=10 * BATCH,
    class_counts=np.array([67, 67, 66]),
    steps_per_epoch=10,
    epochs=4,
    noise_rate=0.2,
    transition_matrix=0.7 * np.eye(CLASSES) + 0.1,
)


def separable(size, seed):
    """Three clouds, far apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(size) % CLASSES
    return (CENTRES[y] + rng.normal(size=(size, FEATURES))).astype("float32"), y


def training_set(row):
    """An endless stream that depends on nothing but its seed, not even on the strategy."""
    x, y = separable(10 * BATCH, 1)
    xm, ym = separable(30, 2)
    train = Subset(x, y, None, np.arange(len(y)))
    meta = Subset(xm, ym, None, np.arange(len(ym))) if row.needs_meta_set else None
    return training_stream(train, meta, BATCH, None, seed=4)


def classifier():
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(hidden))


def compiled(row, learning_rate=0.1, **options):
    keras.utils.set_random_seed(3)
    model = registry.build(row, classifier(), vars(Config()), FACTS)
    optimizers = {"optimizer": keras.optimizers.SGD(learning_rate, momentum=0.9)}
    if row.compile_options:
        optimizers["meta_optimizer"] = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(**optimizers, metrics=["accuracy"], **options)
    return model


def fit(model, row, steps_per_epoch=10, **options):
    options = {"steps_per_epoch": steps_per_epoch, "verbose": 0, "shuffle": False, **options}
    return model.fit(training_set(row), **options).history


@pytest.fixture(params=registry.METHODS, ids=str)
def row(request):
    return registry.METHODS[request.param]


def test_learns_separable_data(row):
    model = compiled(row)
    history = fit(model, row, epochs=4)
    x, y = separable(90, 5)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.95
    assert model.predict(x, verbose=0).shape == (90, CLASSES)
    assert all(np.isfinite(values).all() for values in history.values())


def test_every_key_of_the_logs_has_a_metric(row):
    model = compiled(row)
    history = fit(model, row)
    names = set()
    for metric in model.metrics:
        inner = getattr(metric, "metrics", None)
        names |= {m.name for m in inner} if inner else {metric.name}
    assert set(history) == names


def test_evaluation_reports_loss_and_metrics_alone(row):
    model = compiled(row)
    fit(model, row)
    results = model.evaluate(*separable(30, 6), verbose=0, return_dict=True)
    assert set(results) == {"loss", "accuracy"}


def test_saves_and_loads_with_both_optimizers(row, tmp_path):
    model = compiled(row)
    fit(model, row)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.get_config().keys() == model.get_config().keys()
    for a, b in zip(model.state_variables(), loaded.state_variables(), strict=True):
        np.testing.assert_array_equal(a, b)
    for trained in (model, loaded):
        fit(trained, row)
    for a, b in zip(model.state_variables(), loaded.state_variables(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_eager_equals_graph(row):
    weights = []
    for eager in (True, False):
        model = compiled(row, run_eagerly=eager)
        fit(model, row, steps_per_epoch=3)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_one_device_equals_two(row, mirrored):
    one = compiled(row)
    fit(one, row, epochs=2)
    with mirrored.scope():
        two = compiled(row)
    fit(two, row, epochs=2)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_compiles_under_xla(row):
    plain, compiled_by_xla = compiled(row), compiled(row, jit_compile=True)
    for model in (plain, compiled_by_xla):
        fit(model, row, steps_per_epoch=3)
    for a, b in zip(plain.get_weights(), compiled_by_xla.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_missing_meta_set_is_one_sentence(row):
    if not row.needs_meta_set:
        pytest.skip("needs no meta set")
    bare = dataclasses.replace(row, needs_meta_set=False)
    with pytest.raises(ValueError, match="meta_inputs.*paired_dataset"):
        fit(compiled(row), bare)


def test_does_not_retrace_after_the_first_step(row):
    model = compiled(row)
    traces = []
    step = model.train_step
    model.train_step = lambda data: traces.append(1) or step(data)
    fit(model, row, steps_per_epoch=1)
    at_first = len(traces)
    fit(model, row, epochs=3)
    assert len(traces) == at_first


def test_rows_describe_themselves(row):
    assert row.title and row.paper
    fields = {field.name for field in dataclasses.fields(Config)}
    assert set(row.reads) <= fields, "an option without a setting cannot be given"


def test_a_missing_fact_is_one_sentence(row):
    unknown = [name for name in row.facts if name in SOURCES]
    for name in unknown:
        facts = dataclasses.replace(FACTS, **{name: None})
        with pytest.raises(ValueError, match=f"{row.name}: expected a known {name}.*--noise"):
            registry.build(row, classifier(), vars(Config()), facts)


def test_unknown_method_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'meta_weight_net'"):
        registry.find("meta_weigth_net")
