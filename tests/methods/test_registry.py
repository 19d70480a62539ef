"""Every method of the registry through the same properties; a row without a case here fails."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.every_method import (
    BATCH,
    CLASSES,
    FACTS,
    SHORT,
    SHORT_FACTS,
    STEPS,
    STEPS_OF,
    classifier,
    separable,
    sets,
)
from tf_mwn.data.streams.pipeline import training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.methods.spec.facts import SOURCES
from tf_mwn.methods.spec.method import never
from tf_mwn.settings.config import Config
from tf_mwn.training.whole_sets import WholeSets

EPOCHS = 40  # the most that a test trains


@functools.cache
def elements(with_meta_set):
    """The elements of all epochs, as arrays: the stream is made once, not for every training."""
    x, y, xm, ym = sets()
    train = Subset(x, y, None, np.arange(len(y)))
    meta = Subset(xm, ym, None, np.arange(len(ym))) if with_meta_set else None
    stream = training_stream(train, meta, BATCH, None, seed=4).take(EPOCHS * STEPS)
    return tf.nest.map_structure(lambda *steps: np.stack(steps), *stream.as_numpy_iterator())


def training_set(row, start_epoch=0):
    """A stream that depends on nothing but its seed, not even on the strategy."""
    stream = tf.data.Dataset.from_tensor_slices(elements(row.takes_meta_set(vars(Config()))))
    return stream.skip(start_epoch * STEPS)


def compiled(row, settings=SHORT, facts=None, **options):
    keras.utils.set_random_seed(3)
    model = registry.build(row, classifier(), {**vars(Config()), **settings}, facts or FACTS)
    if facts is None and model.num_epochs is not None:
        return compiled(row, settings, SHORT_FACTS, **options)
    optimizers = {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}
    if row.meta_optimizer:
        optimizers["meta_optimizer"] = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(**optimizers, metrics=["accuracy"], **options)
    # No meta set for a method that says it takes none.
    given = sets() if row.takes_meta_set(vars(Config())) else sets()[:2]
    model.whole_sets = WholeSets.from_arrays(*given, batch_size=25)
    return model


def adjusted(row, class_counts=(40, 15, 5)):
    """The arguments of `compile` for training on logits corrected by these counts."""
    if row.shared or not row.adjusts_logits:
        return {}
    return {"logit_adjustment": 1.0, "class_counts": class_counts}


def values(model):
    return [variable.numpy() for variable in model.state_variables()]


def fit(model, row, epochs=None, start_epoch=0):
    epochs = epochs or model.num_epochs or 2
    assert start_epoch + epochs <= EPOCHS
    options = {"steps_per_epoch": STEPS, "verbose": 0, "shuffle": False}
    return model.fit(training_set(row, start_epoch), epochs=epochs, **options).history


# One method's tests run in one process (tests/conftest.py), which trains what they share once.
@pytest.fixture(params=registry.METHODS)
def row(request):
    return registry.METHODS[request.param]


def kinds(model):
    return type(model), type(model.training_objective)


@pytest.fixture
def first_of_its_kind(row):
    """A method that is tried for all that take the same steps; those are only seen to be alike."""
    if row.name in STEPS_OF:
        other = registry.METHODS[STEPS_OF[row.name]]
        assert kinds(compiled(row)) == kinds(compiled(other))
        pytest.skip(f"takes the steps of {other.name}")
    return row


@functools.cache
def trained(name):
    """A model with the default options after all its epochs, its history, and its traces.

    For tests that only look at it; they share one training.
    """
    row = registry.METHODS[name]
    model = compiled(row, settings={}, facts=FACTS)
    traces, step = [], model.train_step
    model.train_step = lambda data: traces.append(model._step_kind) or step(data)
    history = fit(model, row, model.num_epochs or FACTS.epochs)
    return model, history, traces


@functools.cache
def two_epochs(name):
    """Weights and whole state after two epochs (or all phases) of the graph on one device.

    The logits are corrected. Other routes must reach both.
    """
    row = registry.METHODS[name]
    model = compiled(row, **adjusted(row))
    fit(model, row)
    return model.get_weights(), values(model)


def test_learns_separable_data(row):
    model, history, _ = trained(row.name)
    x, y = separable(90, 5)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.95
    assert model.predict(x, verbose=0).shape == (90, CLASSES)
    assert all(np.isfinite(values).all() for values in history.values())


def test_every_key_of_the_logs_has_a_metric(row):
    model, history, _ = trained(row.name)
    names = set()
    for metric in model.metrics:
        inner = getattr(metric, "metrics", None)
        names |= {m.name for m in inner} if inner else {metric.name}
    assert set(history) == names


def test_evaluation_reports_loss_and_metrics_alone(row):
    model, _, _ = trained(row.name)
    results = model.evaluate(*separable(30, 6), verbose=0, return_dict=True)
    assert set(results) == {"loss", "accuracy"}


def test_traces_each_kind_of_step_once(row):
    model, _, traces = trained(row.name)
    assert max(traces.count(kind) for kind in traces) == 1


def test_phases_go_by_and_are_counted(row):
    model, _, traces = trained(row.name)
    if model.phases is None:
        pytest.skip("one phase")
    assert model.phases.epochs_done == model.num_epochs
    stated = row.phases({**vars(Config()), "epochs": FACTS.epochs})
    assert model.phases.lengths == {phase.name: phase.epochs for phase in stated}
    last = traces[-1] if isinstance(traces[-1], str) else traces[-1][0]  # (phase, updates Θ)
    assert len(set(traces)) > 1 and model.phases.current == last


def test_weights_are_there_if_stated_and_finite_as_are_scalars(row):
    model, _, _ = trained(row.name)
    x, y = separable(STEPS * BATCH, 1)
    weights = model.sample_weight(y, model.predict(x, verbose=0), np.arange(len(y)))
    assert (weights is not None) == row.gives_weights
    if model.training_objective.keeps_history and row.gives_weights:
        with pytest.raises(ValueError, match="sample_id: expected the ids"):
            model.sample_weight(y, model.predict(x, verbose=0))
    else:
        new = model.sample_weight(y, model.predict(x, verbose=0))
        assert (new is not None) == row.gives_weights
    if weights is not None:
        assert weights.shape == (len(y),)
        assert np.isfinite(weights).all() and np.min(weights) >= 0
    assert all(np.isfinite(value) for value in model.training_objective.scalars().values())


def test_a_checkpoint_holds_all_that_the_objective_remembers(row):
    model, _, _ = trained(row.name)
    held = {id(variable) for variable in model.state_variables()}
    assert {id(variable) for variable in model.training_objective.variables} <= held


def test_saved_loaded_and_going_on_equals_going_on(row, tmp_path):
    model = compiled(row, **adjusted(row))
    epochs = model.num_epochs or 2
    half = max(1, epochs // 2)
    fit(model, row, half)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.get_config().keys() == model.get_config().keys()
    for a, b in zip(model.state_variables(), loaded.state_variables(), strict=True):
        np.testing.assert_array_equal(a, b)
    loaded.whole_sets = model.whole_sets
    if epochs > half:
        fit(loaded, row, epochs - half, start_epoch=half)
    for a, b in zip(values(loaded), two_epochs(row.name)[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_eager_equals_graph(row):
    eager = compiled(row, run_eagerly=True, **adjusted(row))
    fit(eager, row)
    for a, b in zip(eager.get_weights(), two_epochs(row.name)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_equal_priors_change_nothing_and_others_do(first_of_its_kind):
    row = first_of_its_kind
    if not adjusted(row):
        pytest.skip("the method corrects by itself, or never sees the training set")
    without, equal = (
        compiled(row, run_eagerly=True, **options) for options in ({}, adjusted(row, (7, 7, 7)))
    )
    for model in (without, equal):
        fit(model, row)
    for a, b in zip(without.get_weights(), equal.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    pairs = zip(equal.get_weights(), two_epochs(row.name)[0], strict=True)
    assert max(np.abs(a - b).max() for a, b in pairs) > 1e-4


def test_resumes_exactly_after_any_epoch(row):
    epochs = compiled(row).num_epochs
    if epochs is None:
        pytest.skip("one phase: the saved model that goes on has shown it")
    state = None
    for epoch in range(epochs):
        model = compiled(row, **adjusted(row))
        if state is not None:
            for variable, value in zip(model.state_variables(), state, strict=True):
                variable.assign(value)
        fit(model, row, epochs=1, start_epoch=epoch)
        state = values(model)
    for a, b in zip(state, two_epochs(row.name)[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_one_device_equals_two(row, mirrored):
    with mirrored.scope():
        two = compiled(row, **adjusted(row))
    fit(two, row)
    for a, b in zip(two.get_weights(), two_epochs(row.name)[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_compiles_under_xla(first_of_its_kind):
    row = first_of_its_kind
    compiled_by_xla = compiled(row, jit_compile=True, **adjusted(row))
    fit(compiled_by_xla, row)
    for a, b in zip(compiled_by_xla.get_weights(), two_epochs(row.name)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_trains_in_float16_with_loss_scales(first_of_its_kind):
    row = first_of_its_kind
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(row)
        before = model.classifier.get_weights()
        history = fit(model, row)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert int(model.optimizer.iterations) > 0
    after = model.classifier.get_weights()
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
    assert all(np.isfinite(values).all() for values in history.values())


def test_a_missing_meta_set_is_one_sentence(row):
    if not compiled(row).needs_meta_set:
        pytest.skip("its training elements need no meta batch")
    bare = dataclasses.replace(row, takes_meta_set=never)
    with pytest.raises(ValueError, match="meta_inputs.*paired_dataset"):
        fit(compiled(row), bare)


def test_a_meta_set_that_a_method_takes_is_wanted_in_its_elements_or_between_epochs(row):
    model, takes = compiled(row), row.takes_meta_set(vars(Config()))
    if takes and not model.needs_meta_set:
        model.whole_sets = dataclasses.replace(model.whole_sets, meta=None)
        with pytest.raises(ValueError, match="whole_sets: .*meta set.*received none"):
            fit(model, row)
    else:
        assert takes == model.needs_meta_set


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("hypergradient_descent", {"hypergradient_set": "training"}),
        ("cmw_net", {"cmw_meta_set": "given"}),
        ("cmw_net_sl", {"cmw_meta_set": "balanced"}),
    ],
)
def test_settings_decide_whether_a_method_takes_a_meta_set(name, settings):
    row = registry.METHODS[name]
    model = compiled(row, {**SHORT, **settings})
    assert model.needs_meta_set == row.takes_meta_set({**vars(Config()), **settings})


def test_rows_describe_themselves(row):
    assert row.title and row.paper


def test_a_missing_fact_is_one_sentence(row):
    unknown = [name for name in row.facts if name in SOURCES]
    for name in unknown:
        facts = dataclasses.replace(FACTS, **{name: None})
        with pytest.raises(ValueError, match=f"{row.name}: expected a known {name}.*--noise"):
            registry.build(row, classifier(), vars(Config()), facts)


def test_unknown_method_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'meta_weight_net'"):
        registry.find("meta_weigth_net")
