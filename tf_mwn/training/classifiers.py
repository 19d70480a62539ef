"""Checks of the user's classifier, and the choice of variables for the virtual step."""

from collections.abc import Callable, Sequence
from typing import cast

import keras
import tensorflow as tf

from tf_mwn.engine.keras_internals import every_layer, has_ordered_layers
from tf_mwn.engine.options import VIRTUAL_VARIABLES
from tf_mwn.training.checks.outputs import check_logits

# How many layers with a kernel a named part has: a block of a residual network has two, and the
# head comes after it.
_KERNELS = {"head": 1, "last_block": 3}
_CHOICES = cast(tuple[str, ...], VIRTUAL_VARIABLES.range)

VirtualVariables = str | Callable[[keras.Variable], bool]


def check_classifier(classifier: keras.Model) -> None:
    """Checks that `classifier` can be trained on its logits.

    Raises:
        TypeError: not a `keras.Model`.
        ValueError: not built, several outputs, nothing to train, probabilities as output, or
            no axis of examples.
    """
    if not isinstance(classifier, keras.Model):
        raise TypeError(f"classifier: expected a keras.Model, received {type(classifier).__name__}")
    if not classifier.built:
        raise ValueError(
            f"classifier: expected a built model, received {classifier.name!r}, which has no "
            "variables yet; call it on one batch or give it an Input"
        )
    if len(getattr(classifier, "outputs", [None]) or [None]) != 1:
        raise ValueError(
            f"classifier: expected one output, received {len(classifier.outputs)} outputs"
        )
    check_trainable(classifier)
    activation = _last_activation(classifier)
    if activation is not None:
        raise ValueError(
            f"classifier: expected logits as output, received a model that ends in a {activation}; "
            "remove the last activation"
        )
    check_logits(classifier)


def check_trainable(classifier: keras.Model) -> None:
    """Refuses a classifier of which everything is frozen.

    Raises:
        ValueError: no trainable variables.
    """
    if not classifier.trainable_variables:
        raise ValueError(
            f"classifier: expected trainable variables, received none in {classifier.name!r}"
        )


def check_same_variables(
    classifier: keras.Model, known: Sequence[keras.Variable], when: str, cure: str
) -> None:
    """Refuses a classifier whose trainable variables are others than those that were `known`.

    Layers that are frozen or made trainable, `enable_lora` and `quantize` change them.

    Args:
        classifier: as it is now.
        known: its trainable variables at an earlier time.
        when: that time.
        cure: what makes the new ones known.

    Raises:
        ValueError: the variables differ.
    """
    now = {id(v): v.path for v in classifier.trainable_variables}
    then = {id(v): v.path for v in known}
    if list(now) == list(then):
        return
    changes = [f"without {path}" for i, path in then.items() if i not in now]
    changes += [f"with {path}" for i, path in now.items() if i not in then]
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    raise ValueError(
        f"classifier: expected the trainable variables that it had {when}, received them "
        f"{(changes or ['in another order'])[0]}{more}; {cure}"
    )


def num_classes(classifier: keras.Model) -> int | None:
    """C of the logits, 1 for logits [B]; None for a subclassed model, whose shapes are unknown."""
    outputs = getattr(classifier, "outputs", None)
    if not outputs:
        return None
    return outputs[0].shape[-1] if len(outputs[0].shape) > 1 else 1


def check_has_classes(classifier: keras.Model) -> None:
    """Refuses a single logit: its softmax is always 1 and its cross-entropy always 0.

    Raises:
        ValueError: a single logit.
    """
    if num_classes(classifier) == 1:
        raise ValueError(
            "classifier: expected logits [B, C] of at least two classes for cross-entropy, "
            "received one logit; give two classes two logits, or compile with a loss of your own"
        )


def select_variables(classifier: keras.Model, choice: VirtualVariables) -> list[int]:
    """Indices into `classifier.trainable_variables` of the variables the virtual step moves.

    Args:
        classifier: a built model.
        choice: "all"; "head", the last layer with trainable weights, or "last_block", the last
            three layers with a kernel and the layers between them, such as batch norm (functional
            and Sequential models, whose layers are ordered); or a function of a variable that
            returns a bool.

    Raises:
        ValueError: unknown name, "head" or "last_block" of a subclassed model, or nothing
            selected.
    """
    variables = classifier.trainable_variables
    if choice == "all":
        return list(range(len(variables)))
    if choice in ("head", "last_block"):
        layers = _last_layers(classifier, _KERNELS[choice], choice)
        chosen = {id(v) for layer in layers for v in layer.trainable_variables}
    elif callable(choice):
        chosen = {id(v) for v in variables if choice(v)}
    else:
        raise ValueError(
            f"virtual_variables: expected one of {', '.join(_CHOICES)} or a "
            f"function of a variable, received {choice!r}"
        )
    if not chosen:
        raise ValueError("virtual_variables: expected at least one variable, received none")
    return [i for i, v in enumerate(variables) if id(v) in chosen]


def with_features(classifier: keras.Model) -> keras.Model:
    """The same layers as a model of two outputs: features [B, F] and logits [B, C].

    The features are the input of the head, which is the last layer with weights.

    Raises:
        ValueError: a subclassed model, or one whose features have more than one axis.
    """
    if not has_ordered_layers(classifier):
        raise ValueError(
            "classifier: expected a functional or Sequential model, whose last layer's input is "
            f"known, received the subclassed {type(classifier).__name__}"
        )
    features = _head(classifier).input
    if len(features.shape) != 2:
        raise ValueError(
            "classifier: expected a last layer that is given features [B, F], "
            f"received shape {tuple(features.shape)}"
        )
    return keras.Model(classifier.inputs, [features, classifier.outputs[0]])


def new_classifier(classifier: keras.Model) -> keras.Model:
    """A classifier of the same architecture with newly drawn weights.

    Layers that are frozen, or adapted to data as `Normalization` is, are shared with it. Of a
    subclassed model they are new too.

    Raises:
        ValueError: a subclassed model that Keras cannot make from its configuration.
    """
    if has_ordered_layers(classifier):
        if not any(_keeps_state(layer) for layer in every_layer(classifier)):
            return keras.models.clone_model(classifier)
        return keras.models.clone_model(classifier, clone_function=_clone, recursive=True)
    try:
        twin = type(classifier).from_config(classifier.get_config())
    except (TypeError, NotImplementedError) as error:
        raise ValueError(
            "classifier: expected a model that can be made anew from its configuration, received "
            f"{type(classifier).__name__}; give it get_config and pass **kwargs on to keras.Model"
        ) from error
    if classifier.built and not twin.built:
        twin.build_from_config(classifier.get_build_config())
    return twin


def _keeps_state(layer: keras.layers.Layer) -> bool:
    """Whether what a layer holds is not learned in training."""
    return hasattr(layer, "adapt") or bool(layer.weights and not layer.trainable)


def _clone(layer: keras.layers.Layer) -> keras.layers.Layer:
    return layer if _keeps_state(layer) else type(layer).from_config(layer.get_config())


def check_forward_mode(classifier: keras.Model) -> None:
    """Refuses layers that TensorFlow cannot differentiate in forward mode in a graph.

    Raises:
        ValueError: a recurrent layer.
    """
    for layer in every_layer(classifier):
        if isinstance(layer, keras.layers.RNN):
            raise ValueError(
                "recompute: expected a classifier without recurrent layers, whose loops have no "
                f"forward-mode derivative in TensorFlow, received {layer.name!r}"
            )


def resolve_jit_compile(
    jit_compile: bool | str | None, classifier: keras.Model, leaves_out: bool = False
) -> bool | str:
    """The value for Keras: XLA only on a GPU, and not for models with max pooling.

    Nor where outputs are left out of a batch (`leaves_out`), whose number XLA would have to know.
    """
    if leaves_out:
        if jit_compile is True:
            raise ValueError("jit_compile: expected False with ignore_class, received True")
        return False
    if jit_compile in (True, False):
        return jit_compile
    if jit_compile not in (None, "auto"):
        raise ValueError(f"jit_compile: expected True, False or 'auto', received {jit_compile!r}")
    if not tf.config.list_logical_devices("GPU") or _has_max_pooling(classifier):
        return False
    return "auto"


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers in order, nested models flattened."""
    found = []
    for layer in model.layers:
        found += _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _head(classifier: keras.Model) -> keras.layers.Layer:
    return _last_layers(classifier, 1, "head")[-1]


def _last_layers(classifier: keras.Model, kernels: int, choice: str) -> list[keras.layers.Layer]:
    """The last `kernels` layers with a kernel, and the trainable layers between and after them."""
    if not has_ordered_layers(classifier):
        raise ValueError(
            "virtual_variables: expected a function of a variable for a subclassed model, whose "
            f"layers have no order, received {choice!r}"
        )
    layers = [layer for layer in _layers(classifier) if layer.trainable_variables]
    # A matrix or more: neither a bias nor a scale of batch norm.
    have = [i for i, layer in enumerate(layers) if any(len(v.shape) > 1 for v in layer.weights)]
    return layers[have[-kernels:][0] :] if have else layers[-1:]


def _last_activation(classifier: keras.Model) -> str | None:
    """ "softmax" or "sigmoid" if the last layer ends in it; None otherwise."""
    layers = classifier.layers
    if not layers or not has_ordered_layers(classifier):
        return None
    last = layers[-1]
    if isinstance(last, keras.Model):
        return _last_activation(last)
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    for name in ("softmax", "sigmoid"):
        if getattr(last, "activation", None) is getattr(keras.activations, name):
            return name
    return None


def _has_max_pooling(classifier: keras.Model) -> bool:
    kinds = (
        keras.layers.MaxPooling1D,
        keras.layers.MaxPooling2D,
        keras.layers.MaxPooling3D,
        keras.layers.GlobalMaxPooling1D,
        keras.layers.GlobalMaxPooling2D,
        keras.layers.GlobalMaxPooling3D,
    )
    return any(isinstance(layer, kinds) for layer in every_layer(classifier))
