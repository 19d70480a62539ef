"""Private names of Keras: they exist, do what is expected of them, and stand in one file."""

import ast
import pathlib

import keras
import numpy as np
import pytest

from tf_mwn.engine import keras_internals

ROOT = pathlib.Path(__file__).parents[2]
VERSION = keras.__version__
HOME = ROOT / "tf_mwn/engine/keras_internals.py"


def centred():
    return keras.optimizers.RMSprop(centered=True)


def sgd():
    optimizer = keras.optimizers.SGD(momentum=0.9)
    optimizer.build([keras.Variable([0.0])])
    return optimizer


def scaled_sgd():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    optimizer.build([keras.Variable([0.0])])
    return optimizer


def built(kind):
    def make():
        optimizer = kind()
        optimizer.build([keras.Variable([0.0])])
        return optimizer

    return make


# Name, what makes the object that has it, and who needs it. Those without a leading underscore
# are not private, but no page of Keras' documentation promises them.
NAMES = [
    ("Functional", lambda: keras.src.models, "keras_internals.has_ordered_layers"),
    ("_flatten_layers", keras.Model, "keras_internals.every_layer"),
    ("_learning_rate", sgd, "keras_internals.rate_or_schedule"),
    ("_make_function", keras.Model, "keras_internals.step_function"),
    ("_initial_epoch", keras.Model, "keras_internals.first_epoch"),
    ("_flatten_metrics_in_order", keras.Model, "keras_internals.metrics_in_order"),
    ("make_train_function", keras.Model, "RobustModel, which overrides it,"),
    ("make_test_function", keras.Model, "RobustModel, which overrides it,"),
    ("train_function", keras.Model, "RobustModel, which sets it,"),
    ("test_function", keras.Model, "RobustModel, which sets it,"),
    ("distribute_strategy", keras.Model, "RobustModel"),
    ("get_metrics_result", keras.Model, "distributed_loop"),
    ("momentums", sgd, "virtual_step.optimizer_step"),
    ("_clip_gradients", sgd, "keras_internals.clipped"),
    ("_velocities", built(keras.optimizers.Adam), "preconditioner"),
    ("_velocity_hats", built(lambda: keras.optimizers.Adam(amsgrad=True)), "preconditioner"),
    ("_velocities", built(keras.optimizers.Nadam), "preconditioner"),
    ("_u", built(keras.optimizers.Adamax), "preconditioner"),
    ("_velocities", built(keras.optimizers.RMSprop), "preconditioner"),
    (
        "_average_gradients",
        built(centred),
        "preconditioner",
    ),
    ("_accumulators", built(keras.optimizers.Adagrad), "preconditioner"),
    ("_accumulated_grads", built(keras.optimizers.Adadelta), "preconditioner"),
    ("_accumulated_delta_vars", built(keras.optimizers.Adadelta), "preconditioner"),
    ("_iterations", sgd, "keras_internals.steps_taken"),
    ("gradient_registry", lambda: keras_internals.ops, "keras_internals.has_no_derivative"),
    ("inner_optimizer", scaled_sgd, "optimizers.without_loss_scale"),
    ("dynamic_scale", scaled_sgd, "optimizers.loss_scale"),
]


@pytest.mark.parametrize(("name", "owner", "user"), NAMES, ids=[row[0] for row in NAMES])
def test_keras_has_the_name(name, owner, user):
    found = owner()
    kind = getattr(found, "__name__", type(found).__name__)
    assert hasattr(found, name), f"{user} needs {kind}.{name}, which Keras {VERSION} does not have"


@pytest.fixture(scope="module")
def private_names():
    """Those of the kinds of Keras objects that are subclassed here."""
    owners = [
        keras.Sequential(),
        keras.layers.Dense(1),
        keras.losses.Loss(),
        keras.metrics.Mean(),
        sgd(),
        keras.callbacks.Callback(),
    ]
    return {n for owner in owners for n in dir(owner) if n[0] == "_" and n[:2] != "__"}


def package_files():
    return sorted(p for p in ROOT.glob("tf_mwn/**/*.py") if p != HOME)


@pytest.mark.parametrize("path", package_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_other_file_has_a_private_name_of_keras(path, private_names):
    text = path.read_text()
    for module in ("keras.src", "tensorflow.python", "tf.__internal__"):
        assert module not in text, f"{module} belongs into {HOME.name}"
    nodes = list(ast.walk(ast.parse(text)))
    methods = [part for n in nodes if isinstance(n, ast.ClassDef) and n.bases for part in n.body]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    own = {n.attr for n in attributes if isinstance(n.ctx, ast.Store)}
    used = {n.attr for n in attributes if getattr(n.value, "id", None) not in ("self", "cls")}
    used |= {node.name for node in methods if isinstance(node, ast.FunctionDef)}
    found = (used - own) & private_names
    assert not found, f"Keras has {', '.join(sorted(found))}, which belongs into {HOME.name}"


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.wrapped = keras.layers.TimeDistributed(keras.layers.Dense(2, name="inner"))

    def call(self, inputs):
        return self.wrapped(inputs)


def functional():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2, name="inner")(inputs))


def test_only_functional_and_sequential_models_have_ordered_layers():
    assert keras_internals.has_ordered_layers(functional())
    assert keras_internals.has_ordered_layers(keras.Sequential([keras.Input((3,))]))
    assert not keras_internals.has_ordered_layers(Subclassed())


def test_every_layer_looks_into_layers():
    model = Subclassed()
    assert "inner" not in [layer.name for layer in model.layers]
    assert "inner" in [layer.name for layer in keras_internals.every_layer(model)]


def test_a_schedule_is_given_as_it_was_set():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    assert keras_internals.rate_or_schedule(keras.optimizers.SGD(schedule)) is schedule
    rate = keras_internals.rate_or_schedule(keras.optimizers.SGD(0.25))
    assert isinstance(rate, keras.Variable) and float(rate.numpy()) == 0.25
    for given in (schedule, 0.1, lambda: 0.1):
        found = keras_internals.initial_rate(keras.optimizers.SGD(given))
        assert found == pytest.approx(0.1)


def test_a_step_function_takes_one_step_of_an_iterator():
    model = functional()
    model.compile(jit_compile=False)
    take = keras_internals.step_function(model, lambda data: {"double": 2 * data})
    assert float(take(iter([np.float32(4.0), np.float32(5.0)]))["double"]) == 8.0


def test_metrics_come_in_the_order_of_evaluate():
    model = functional()
    model.compile(loss="mse", metrics=["mae"])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    wanted = model.evaluate(x, y, verbose=0)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert keras_internals.metrics_in_order(model, dict(reversed(logs.items()))) == wanted
    assert keras_internals.metrics_in_order(model, {"loss": 3.0}) == 3.0
