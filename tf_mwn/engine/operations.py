"""What the engine asks of a classifier's operations: a second derivative, and no hidden state.

Operations are looked at where they are traced. Eager execution keeps no list of them.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

import keras
import tensorflow as tf

from tf_mwn.engine.keras_internals import every_layer, has_no_derivative, has_ordered_layers
from tf_mwn.tensors import Assignment, Tensor

_ASSIGNS = re.compile(r"Assign(Add|Sub)?VariableOp|ResourceScatter\w+")


@contextlib.contextmanager
def operations_within() -> Iterator[list[tf.Operation]]:
    """A list that holds, after the block, the operations that the block added to the graph."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    before = len(graph.get_operations()) if graph else 0
    found: list[tf.Operation] = []
    yield found
    found += graph.get_operations()[before:] if graph else []


def refuse_assignments(
    classifier: keras.Model, operations: list[tf.Operation], new: Sequence[Assignment]
) -> None:
    """Refuses a forward pass that assigns a trainable variable, or one that Keras cannot see.

    The derivative of a pass is taken at the weights that it was given, and several passes make up
    one step.

    Args:
        classifier: the model.
        operations: of its forward pass.
        new: pairs (trainable variable, its value after the pass) of the variables it assigned.

    Raises:
        ValueError: naming the layer.
    """
    found = next((op for op in operations if _ASSIGNS.fullmatch(op.type)), None)
    if found is not None:
        raise ValueError(
            "classifier: expected layers that assign no variable but their own Keras weights, "
            f"received {_name_of_layer(classifier, found.name) or 'one'!r}, which assigns a "
            "tf.Variable in its call; make it by add_weight(trainable=False)"
        )
    for variable, _ in new:
        holders = [
            layer
            for layer in every_layer(classifier)
            if not isinstance(layer, keras.Model) and any(v is variable for v in layer.weights)
        ]
        owner = max(holders, key=lambda layer: len(layer.weights), default=classifier)
        raise ValueError(
            "classifier: expected layers that leave their trainable variables to the optimizer, "
            f"received {type(owner).__name__} {owner.name!r}, which assigns {variable.path} in its "
            "call; leave it out, or use a kernel_constraint, which the optimizer applies"
        )


def refuse_zero_derivatives(
    classifier: keras.Model, gradient: list[Tensor], operations: list[tf.Operation]
) -> None:
    """Refuses a `gradient` made by operations whose derivative TensorFlow takes for zero.

    Args:
        classifier: the model.
        gradient: the pullback of a cotangent.
        operations: of the pullback; those of them that `gradient` depends on are looked at.

    Raises:
        ValueError: naming layer, operation and a cure.
    """
    rest, left = {op.name: op for op in operations}, list(gradient) if operations else []
    while left:
        operation = rest.pop(left.pop().op.name, None)
        if operation is None:
            continue
        if operation.type.endswith(("Grad", "Gradient")) and has_no_derivative(operation.type):
            _refuse(classifier, operation.type, operation)
        left.extend(operation.inputs)


@contextlib.contextmanager
def second_derivatives(classifier: keras.Model, operations: list[tf.Operation]) -> Iterator[None]:
    """Names the layer whose operation has no second derivative, if the block needs one.

    Raises:
        ValueError: naming layer, operation and a cure.
    """
    try:
        yield
    except LookupError as error:
        kind = str(error).rpartition(":")[2].strip()
        found = [operation for operation in operations if operation.type == kind]
        _refuse(classifier, kind, found[0] if found else None, error)


def _refuse(
    classifier: keras.Model,
    kind: str,
    operation: tf.Operation | None,
    cause: Exception | None = None,
) -> NoReturn:
    name = None if operation is None else _name_of_layer(classifier, operation.name)
    where = "" if name is None else f" in layer {name!r}"
    raise ValueError(
        "classifier: expected operations with a second derivative, which TensorFlow lacks for "
        f"{re.sub('(Grad|Backprop).*', '', kind)}, received it{where}; {_cure(classifier, name)}"
    ) from cause


def _cure(classifier: keras.Model, name: str | None) -> str:
    """virtual_variables that need no derivative of the layer, if there are any."""
    if not has_ordered_layers(classifier):
        return "choose virtual_variables as a function that is True for variables behind it alone"
    layers = list(every_layer(classifier))
    behind = [i for i, layer in enumerate(layers) if layer.name == name] or [len(layers)]
    kernels = [v for layer in layers[behind[0] + 1 :] for v in layer.trainable_variables]
    if name is None or any(len(v.shape) > 1 for v in kernels):
        return "choose virtual_variables='head', the variables of the last layer alone"
    return "put another layer in its place, or train by a method without a virtual step"


def _name_of_layer(classifier: keras.Model, name: str) -> str | None:
    """The innermost layer in the scopes of an operation's name."""
    known = {layer.name for layer in every_layer(classifier) if layer is not classifier}
    for part in reversed(name.split("/")):
        # A layer opens its scope to be built, and again to be called: TensorFlow adds a number.
        for scope in (re.sub(r"_\d+$", "", part), part):
            if scope in known:
                return scope
    return None
