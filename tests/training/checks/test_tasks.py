"""Every method with every task: it trains, or says by its name that it cannot."""

import functools
import os
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tasks import CLEAN, SIZE, TASKS
from tf_mwn.methods import registry
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.settings.config import Config
from tf_mwn.training.checks.batches import mistakes_in_batches
from tf_mwn.training.whole_sets import WholeSets

SHOWN = {
    name: TASKS[name]
    for name in ("one logit", "labels, each", "sequence, each, masked", "regression")
}
# All tasks for each method, not one of those that it takes.
EVERYTHING = os.environ.get("TF_MWN_TASKS") == "all"
# Methods that see classes train on each position of a sequence as on an example.
TAKEN = {"losses": set(SHOWN), "labels": {"one logit"}, "examples": set()}
TAKEN["classes"] = {"sequence, each, masked"}
# Methods that correct logits by shares of classes, which several labels and numbers have not.
CORRECT = {"logit_adjusted": {"labels, each", "regression"}}
CORRECT["posthoc_logit_adjustment"] = CORRECT["logit_adjusted"]
# It puts branches before a last layer that sees features [B, F], not positions.
GATED = {"architecture_gate": {"sequence, each, masked"}}


def facts(task):
    classes = max(2, task.logits[-1] if task.logits else 1)
    return TrainingFacts(
        num_classes=classes,
        num_examples=SIZE,
        class_counts=np.full(classes, SIZE),
        steps_per_epoch=2,
        epochs=4,
        num_sample_ids=SIZE * 4,
        seed=0,
        noise_rate=0.2,
        transition_matrix=0.7 * np.eye(classes) + 0.3 / classes,
    )


def element(task):
    (x, y), (x_meta, y_meta) = task.data(), task.data(CLEAN, 1)
    both = {"inputs": x, "sample_id": np.arange(SIZE)}, y
    both[0].update(meta_inputs=x_meta, meta_labels=y_meta)
    return keras.tree.map_structure(tf.convert_to_tensor, both)


@functools.cache
def classifier(kind):
    """Of a task; which weights it has does not matter here."""
    return SHOWN[kind].classifier()


def trained(row, kind, steps=2):
    """A model of the method after some steps, and its logs."""
    task = SHOWN[kind]
    known = facts(task)
    network = task.classifier() if row.name in GATED else classifier(kind)
    model = registry.build(row, network, vars(Config()), known)
    optimizers = {"meta_optimizer": "sgd"} if row.meta_optimizer else {}
    if row.name == "logit_adjusted":
        optimizers |= {"logit_adjustment": 1.0, "class_counts": known.class_counts}
    model.compile(keras.optimizers.SGD(0.1), **optimizers, **task.arguments())
    model.whole_sets = WholeSets.from_arrays(*task.data(), *task.data(CLEAN, 1))
    with mistakes_in_batches():
        data = model.checked(element(task))
    for _ in range(steps):
        logs = model.train_step(data)
    return model, logs


def takes(row, kind):
    exceptions = CORRECT.get(row.name, set()) | GATED.get(row.name, set())
    return kind in TAKEN[row.sees] - exceptions


@pytest.mark.parametrize("name", registry.METHODS)
def test_every_method_trains_or_refuses_by_name(name):
    """By default on one of the tasks that it takes; TF_MWN_TASKS=all trains on each of them."""
    row = registry.METHODS[name]
    for kind in SHOWN:
        if not takes(row, kind):
            with pytest.raises(ValueError, match=rf"^{name}: expected .* received"):
                trained(row, kind)
    taken = [kind for kind in SHOWN if takes(row, kind)]
    if not taken:
        return
    turn = list(registry.METHODS).index(name) % len(taken)
    for kind in taken if EVERYTHING else taken[turn : turn + 1]:
        model, logs = trained(row, kind)
        assert model.training_objective.sees == row.sees
        assert all(np.isfinite(value) for value in map(float, logs.values())), kind
        assert all(np.isfinite(v).all() for v in model.get_weights()), kind


def of_plain_classes():
    inputs = keras.Input((5,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


WHOLE = [name for name, row in registry.METHODS.items() if row.sees == "examples"]


@pytest.mark.parametrize("name", WHOLE)
def test_objectives_of_whole_examples_say_so_too(name):
    """Where the registry has not made the model, its objective says what it sees."""
    known = facts(TASKS["sequence"])
    model = registry.build(registry.METHODS[name], of_plain_classes(), vars(Config()), known)
    assert name == "resampling" or model.training_objective.sees == "examples"


def test_the_page_lists_the_methods_by_what_they_see():
    page = (pathlib.Path(__file__).parents[3] / "docs/tasks.md").read_text()
    parts = re.split(r"^\*\*.*?\*\*", page.split("## Which methods")[1], flags=re.M)
    for part, sees in zip(parts[1:3], ("losses", "classes"), strict=True):
        named = set(re.findall(r"`(\w+)`", part.split("\n\n")[0]))
        own = {m.name for m in registry.METHODS.values() if m.builder.startswith("tf_mwn.")}
        assert named == {name for name in own if registry.METHODS[name].sees == sees}
