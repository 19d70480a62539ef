"""The engine's meta gradient against two routes that share no code with it.

Tape of tape builds ŵ(Θ) as a function of Θ and differentiates through it; finite differences move
Θ and look at the meta loss.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element
from tests.tasks import CLEAN, TASKS
from tf_mwn.engine import keras_internals
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.optimizers import CoupledAdam, CoupledSGD
from tf_mwn.engine.preconditioner import diagonal
from tf_mwn.methods.hyper_parameters.learned_weight_decay import LearnedWeightDecay
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet

pytestmark = pytest.mark.usefixtures("float64")

# Every variant of the virtual step: (weight net options, optimizer options).
VARIANTS = {
    "mean": ({}, {}),
    "sum": ({"weight_normalization": "sum"}, {}),
    "sum, constant normaliser": ({"weight_normalization": "sum_detached"}, {}),
    "mean, input not detached": ({"detach_loss": False}, {}),
    "sum, input not detached": ({"weight_normalization": "sum", "detach_loss": False}, {}),
    "momentum": ({"virtual_step": "optimizer"}, {"momentum": 0.9}),
    "momentum and coupled decay": (
        {"virtual_step": "optimizer"},
        {"momentum": 0.9, "coupled_weight_decay": 0.05},
    ),
    "Nesterov and coupled decay": (
        {"virtual_step": "optimizer"},
        {"momentum": 0.9, "nesterov": True, "coupled_weight_decay": 0.05},
    ),
    "decoupled decay, no momentum": ({"virtual_step": "optimizer"}, {"weight_decay": 0.05}),
}


def compiled(classifier, options, sgd):
    model = MetaWeightNet(classifier, weight_net_units=(5,), **options)
    model.compile(CoupledSGD(0.3, **sgd), meta_optimizer=keras.optimizers.SGD(1.0))
    for velocity in getattr(model.optimizer, "momentums", []):
        velocity.assign(0.1 * keras.random.normal(velocity.shape))
    return model


def engine_gradient(model, features, labels):
    linear = Linearisation(model.classifier, features["inputs"])
    batch = model.training_batch(labels, features["sample_id"])
    return model.meta_gradient(linear, batch, features)


def objective_by_formula(model, losses, normaliser):
    """T as the papers print it, from the weight net's output; no engine code."""
    seen = losses if not model.weight_net.detach_loss else tf.stop_gradient(losses)
    v = model.weight_net(seen)
    return {
        "none": lambda: tf.reduce_mean(v * losses),
        "sum": lambda: tf.reduce_sum(v * losses) / tf.reduce_sum(v),
        "sum_detached": lambda: tf.reduce_sum(v * losses) / normaliser(v),
    }[model.weight_net.normalization]()


def stopped_sum(v):
    return tf.stop_gradient(tf.reduce_sum(v))


def meta_loss_of_theta(model, features, labels, normaliser=stopped_sum, constant=None):
    """L_meta(ŵ(Θ)) with ŵ from a gradient tape and the textbook update rules.

    `constant` is a list that keeps the diagonal of an adaptive optimizer from the first call on.
    """
    classifier, sgd = model.classifier, model.optimizer
    weights = [tf.convert_to_tensor(w) for w in classifier.trainable_variables]
    state = [tf.convert_to_tensor(s) for s in classifier.non_trainable_variables]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    training = {"training": True} if "training" in classifier.call.__code__.co_varnames else {}
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, state = classifier.stateless_call(weights, state, features["inputs"], **training)
        losses = cross_entropy(labels, logits)
        value = objective_by_formula(model, losses, normaliser)
    gradient = tape.gradient(value, weights)
    virtual = list(weights)
    if constant is not None and not constant:
        constant += diagonal(sgd, weights, gradient, range(len(weights)))
    for i in model.virtual_selection:
        if constant is not None:
            virtual[i] = weights[i] - constant[i] * gradient[i]
        else:
            virtual[i] = textbook_update(model, sgd, weights[i], gradient[i], i)
    logits, _ = classifier.stateless_call(virtual, state, features["meta_inputs"], **training)
    return tf.reduce_mean(cross_entropy(features["meta_labels"], logits))


def textbook_update(model, sgd, w, g, i):
    lr = float(sgd.learning_rate)
    if model.virtual_step in ("auto", "plain"):
        return w - lr * g
    g = g + sgd.coupled_weight_decay * w
    w = w * (1 - lr * (sgd.weight_decay or 0.0))
    if not sgd.momentum:
        return w - lr * g
    velocity = sgd.momentum * tf.convert_to_tensor(sgd.momentums[i]) - lr * g
    return w + (sgd.momentum * velocity - lr * g if sgd.nesterov else velocity)


def tape_of_tape(model, features, labels):
    with tf.GradientTape() as tape:
        value = meta_loss_of_theta(model, features, labels)
    return tape.gradient(value, model.weight_net.trainable_variables)


def finite_difference(model, features, labels, direction, step=1e-5):
    """Central difference of L_meta along `direction`, a constant normaliser held at its value."""
    theta = model.weight_net.trainable_variables
    held = []

    def constant_sum(v):
        held.append(stopped_sum(v))
        return held[0]

    meta_loss_of_theta(model, features, labels, constant_sum)
    values = []
    for sign in (1, -2):
        for variable, d in zip(theta, direction, strict=True):
            variable.assign_add(sign * step * d)
        values.append(float(meta_loss_of_theta(model, features, labels, constant_sum)))
    for variable, d in zip(theta, direction, strict=True):
        variable.assign_add(step * d)
    return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if n != "subclassed"])
def test_engine_equals_tape_of_tape_and_finite_differences(name, variant):
    build, shapes = CLASSIFIERS[name]
    model = compiled(build(), *VARIANTS[variant])
    features, labels = element(shapes)
    gradient = engine_gradient(model, features, labels)
    assert max(float(tf.reduce_max(tf.abs(g))) for g in gradient) > 1e-6  # not trivially equal
    for g, expected in zip(gradient, tape_of_tape(model, features, labels), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-7, atol=1e-12)

    rng = np.random.default_rng(0)
    direction = [rng.normal(size=g.shape) for g in gradient]
    along = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradient, direction, strict=True))
    difference = finite_difference(model, features, labels, direction)
    np.testing.assert_allclose(along, difference, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("variant", ["mean", "sum", "Nesterov and coupled decay"])
@pytest.mark.parametrize("choice", ["head", lambda variable: variable.name == "bias"])
def test_restricted_virtual_step_equals_tape_of_tape(choice, variant):
    options, sgd = VARIANTS[variant]
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = compiled(build(), {**options, "virtual_variables": choice}, sgd)
    features, labels = element(shapes)
    restricted = engine_gradient(model, features, labels)
    for g, expected in zip(restricted, tape_of_tape(model, features, labels), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-7, atol=1e-12)
    exact = compiled(model.classifier, options, sgd)
    exact.weight_net.set_weights(model.weight_net.get_weights())
    different = engine_gradient(exact, features, labels)
    assert not np.allclose(restricted[0], different[0], rtol=1e-3)


def test_graph_equals_eager():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = compiled(build(), *VARIANTS["sum"])
    features, labels = element(shapes)
    eager = engine_gradient(model, features, labels)
    graph = tf.function(lambda: engine_gradient(model, features, labels))()
    for a, b in zip(eager, graph, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14)


OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(0.1),
    "Adam with amsgrad": lambda: keras.optimizers.Adam(0.1, amsgrad=True),
    "Adam, clipped": lambda: keras.optimizers.Adam(0.1, clipnorm=0.05),
    "AdamW": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.05),
    "Adam with coupled decay": lambda: CoupledAdam(0.1, coupled_weight_decay=0.05),
    "Nadam": lambda: keras.optimizers.Nadam(0.1),
    "Adamax": lambda: keras.optimizers.Adamax(0.1),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.1),
    "RMSprop, centred, with momentum": lambda: keras.optimizers.RMSprop(
        0.1, momentum=0.5, centered=True
    ),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "Adadelta": lambda: keras.optimizers.Adadelta(1.0),
}


def after_three_steps(make, classifier, **options):
    """A model whose optimizer has slots, and the gradient that its next step takes."""
    model = MetaWeightNet(classifier, weight_net_units=(5,), **options)
    model.compile(make(), meta_optimizer=keras.optimizers.SGD(1.0))
    rng = np.random.default_rng(1)
    for _ in range(3):
        gradient = [0.1 * rng.normal(size=v.shape) for v in classifier.trainable_variables]
        model.optimizer.apply([tf.constant(g) for g in gradient], classifier.trainable_variables)
    return model


def own_step(model, gradient):
    """What the optimizer itself does with a gradient if its first moment is that gradient."""
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    copies = [keras.Variable(v) for v in model.classifier.trainable_variables]
    optimizer.build(copies)
    for slot, value in zip(optimizer.variables, model.optimizer.variables, strict=True):
        slot.assign(value)
    if hasattr(optimizer, "momentum"):
        optimizer.momentum = 0.0
    before = [tf.convert_to_tensor(v) for v in copies]
    optimizer.apply([tf.convert_to_tensor(g) for g in gradient], copies)
    return [b - tf.convert_to_tensor(a) for b, a in zip(before, copies, strict=True)]


@pytest.mark.parametrize(
    ("name", "clipping", "limit"),
    [
        ("RMSprop", None, None),
        ("Adagrad", None, None),
        ("Adadelta", None, None),
        ("RMSprop", "clipnorm", 0.1),
        ("Adagrad", "global_clipnorm", 0.1),
        ("RMSprop", "clipvalue", 0.01),
    ],
)
def test_the_diagonal_is_that_of_the_optimizers_own_step(name, clipping, limit):
    build, shapes = CLASSIFIERS["mlp"]
    model = after_three_steps(OPTIMIZERS[name], build())
    if clipping:
        setattr(model.optimizer, clipping, limit)
    weights = [tf.convert_to_tensor(v) for v in model.classifier.trainable_variables]
    rng = np.random.default_rng(2)
    gradient = [tf.constant(rng.normal(size=w.shape)) for w in weights]
    scale = diagonal(model.optimizer, weights, gradient, range(len(weights)))
    for d, g, step in zip(scale, gradient, own_step(model, gradient), strict=True):
        np.testing.assert_allclose(d * g, step, rtol=1e-9, atol=1e-12)


def test_the_diagonal_of_adam_by_hand():
    variable = keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.Adam(0.1, beta_2=0.9, epsilon=0.5)
    optimizer.build([variable])
    optimizer.iterations.assign(1)
    keras_internals.slots(optimizer, "velocities")[0].assign([0.4, 0.0])
    (scale,) = diagonal(optimizer, [variable.value], [tf.constant([2.0, 0.0], "float64")], [0])
    # v = 0.9 * 0.4 + 0.1 * 4 = 0.76 and 0; t = 2: lr sqrt(1 - 0.81) / (sqrt(v) + 0.5).
    wanted = 0.1 * np.sqrt(0.19) / (np.sqrt([0.76, 0.0]) + 0.5)
    np.testing.assert_allclose(scale, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_preconditioned_step_equals_tape_of_tape_and_finite_differences(name):
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = after_three_steps(OPTIMIZERS[name], build())
    features, labels = element(shapes)
    gradient = engine_gradient(model, features, labels)
    assert max(float(tf.reduce_max(tf.abs(g))) for g in gradient) > 1e-9
    held = []

    def meta_loss():
        return meta_loss_of_theta(model, features, labels, constant=held)

    with tf.GradientTape() as tape:
        value = meta_loss()
    for g, wanted in zip(
        gradient, tape.gradient(value, model.weight_net.trainable_variables), strict=True
    ):
        np.testing.assert_allclose(g, wanted, rtol=1e-6, atol=1e-12)
    theta, rng = model.weight_net.trainable_variables, np.random.default_rng(0)
    direction = [rng.normal(size=g.shape) for g in gradient]
    along = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradient, direction, strict=True))
    values = []
    for sign in (1, -2):
        for variable, d in zip(theta, direction, strict=True):
            variable.assign_add(sign * 1e-5 * d)
        values.append(float(meta_loss()))
    np.testing.assert_allclose(along, (values[0] - values[1]) / 2e-5, rtol=1e-4, atol=1e-9)


def test_adams_first_step_still_has_a_meta_gradient():
    build, shapes = CLASSIFIERS["mlp"]
    model = MetaWeightNet(build(), weight_net_units=(5,))
    model.compile(keras.optimizers.Adam(1e-3), meta_optimizer=keras.optimizers.SGD(1.0))
    gradient = engine_gradient(model, *element(shapes))
    plain = MetaWeightNet(model.classifier, weight_net_units=(5,), virtual_step="plain")
    plain.weight_net.set_weights(model.weight_net.get_weights())
    plain.compile(keras.optimizers.Adam(1e-3), meta_optimizer=keras.optimizers.SGD(1.0))
    short = engine_gradient(plain, *element(shapes))
    assert tf.linalg.global_norm(gradient) > 5 * tf.linalg.global_norm(short) > 0


def test_auto_is_plain_under_sgd_and_preconditioned_otherwise():
    build, shapes = CLASSIFIERS["mlp"]
    for make, name in ((lambda: CoupledSGD(0.3), "plain"), (OPTIMIZERS["Adam"], "preconditioned")):
        auto = after_three_steps(make, build())
        named = MetaWeightNet(auto.classifier, weight_net_units=(5,), virtual_step=name)
        named.compile(auto.optimizer, meta_optimizer=keras.optimizers.SGD(1.0))
        named.weight_net.set_weights(auto.weight_net.get_weights())
        pair = engine_gradient(auto, *element(shapes)), engine_gradient(named, *element(shapes))
        for a, b in zip(*pair, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Lion, keras.optimizers.Adafactor])
def test_an_optimizer_without_a_diagonal_is_refused_by_name(optimizer):
    model = MetaWeightNet(CLASSIFIERS["mlp"][0]())
    with pytest.raises(
        ValueError, match=f"virtual_step: expected 'plain' for {optimizer.__name__}"
    ):
        model.compile(optimizer(1e-3))
    MetaWeightNet(CLASSIFIERS["mlp"][0](), virtual_step="plain").compile(optimizer(1e-3))
    LearnedWeightDecay(CLASSIFIERS["mlp"][0]()).compile(optimizer(1e-3))  # it has no such option


@pytest.mark.parametrize("name", ["mlp", "cnn_with_batch_norm"])
def test_a_part_of_the_batch_has_the_gradient_of_that_smaller_batch(name):
    build, shapes = CLASSIFIERS[name]
    model = compiled(build(), {"weight_normalization": "sum", "meta_fraction": 0.25}, {})
    features, labels = element(shapes)
    linear = Linearisation(model.classifier, features["inputs"])
    part = model.part_of(linear, model.training_batch(labels, features["sample_id"]))
    gradient = model.meta_gradient(*part, features)
    rows = slice(0, None, 4)
    few = {**features, "inputs": features["inputs"][rows], "sample_id": features["sample_id"][rows]}
    for g, wanted in zip(gradient, engine_gradient(model, few, labels[rows]), strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("fraction", [0.3, 0.0, 1.5])
def test_a_fraction_is_one_over_a_whole_number(fraction):
    with pytest.raises(ValueError, match="meta_fraction: expected"):
        MetaWeightNet(CLASSIFIERS["mlp"][0](), meta_fraction=fraction)
    with pytest.raises(ValueError, match="reuse_gradient: expected False with meta_fraction"):
        MetaWeightNet(CLASSIFIERS["mlp"][0](), meta_fraction=0.5, reuse_gradient=True)


def losses_by_formula(task, labels, logits):
    """The loss of each example or output that counts, by a loop over examples; no engine code."""
    every, labels = task.formula(labels, logits), np.asarray(labels)
    found = []
    for row, y in enumerate(np.atleast_2d(labels.T).T):
        kept = np.ones(y.shape, bool) if task.ignored is None else y != task.ignored
        valid = tf.boolean_mask(tf.reshape(every[row], kept.shape), kept)
        if task.weight_per == "output":
            found += tf.unstack(valid)
        elif kept.any():
            found.append(tf.reduce_mean(valid))
    return tf.stack(found)


def meta_loss_of_task(model, task, features, labels):
    """L_meta(ŵ(Θ)) of plain SGD."""
    classifier, rate = model.classifier, float(model.optimizer.learning_rate)
    weights = [tf.convert_to_tensor(w) for w in classifier.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, _ = classifier.stateless_call(weights, [], features["inputs"])
        value = objective_by_formula(model, losses_by_formula(task, labels, logits), stopped_sum)
    gradient = tape.gradient(value, weights)
    virtual = [w - rate * g for w, g in zip(weights, gradient, strict=True)]
    logits, _ = classifier.stateless_call(virtual, [], features["meta_inputs"])
    return tf.reduce_mean(losses_by_formula(task, features["meta_labels"], logits))


@pytest.mark.parametrize("name", TASKS)
def test_every_task_equals_tape_of_tape_and_finite_differences(name):
    task = TASKS[name]
    keras.utils.set_random_seed(2)
    model = MetaWeightNet(task.classifier(), (5,), weight_normalization="sum")
    sgd = keras.optimizers.SGD
    model.compile(sgd(0.3), meta_optimizer=sgd(1.0), **task.arguments())
    (x, labels), (x_meta, y_meta) = task.data(), task.data(CLEAN, 1)
    features = {"inputs": x, "sample_id": np.arange(len(x))}
    features |= {"meta_inputs": x_meta, "meta_labels": y_meta}
    features, labels = keras.tree.map_structure(tf.convert_to_tensor, (features, labels))
    gradient = engine_gradient(model, features, labels)
    assert max(float(tf.reduce_max(tf.abs(g))) for g in gradient) > 1e-6
    theta = model.weight_net.trainable_variables
    with tf.GradientTape() as tape:
        value = meta_loss_of_task(model, task, features, labels)
    expected = tape.gradient(value, theta)
    for one, other in zip(gradient, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-12)
    values = []
    for sign in (1, -2):
        for variable, g in zip(theta, gradient, strict=True):
            variable.assign_add(sign * 1e-4 * g)
        values.append(float(meta_loss_of_task(model, task, features, labels)))
    along = sum(float(tf.reduce_sum(g * g)) for g in gradient)
    np.testing.assert_allclose(along, (values[0] - values[1]) / 2e-4, rtol=1e-5)
