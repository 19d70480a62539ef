"""What each method states that a step costs, against the passes that its traced step is made of.

A pass through a layer is one matrix product: of inputs and kernel (forward), of the gradient of the
outputs and the kernel (backward, for the inputs), or of the inputs and that gradient (backward, for
the kernel). A derivative in forward mode takes two. One layer of the classifier has a kernel of a
shape that nothing else has, so its products are recognised in the graph. Their sizes tell the
batch.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods import registry
from tf_mwn.methods.meta_weight_net.weight_net import WeightNet
from tf_mwn.methods.meta_weight_net.weight_net_file import save_weight_net
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.methods.spec.method import Passes
from tf_mwn.settings.config import Config

BATCH, META_BATCH, CLASSES, FEATURES = 20, 4, 3, 6
PARTS = (1, 2, 4)  # a meta update learns from every k-th example
KERNEL = (23, 29)
FACTS = TrainingFacts(
    num_classes=CLASSES,
    num_examples=60,
    class_counts=np.array([10, 20, 30]),
    steps_per_epoch=3,
    epochs=4,
    num_sample_ids=60,
    seed=0,
    noise_rate=0.2,
    transition_matrix=0.7 * np.eye(CLASSES) + 0.1,
)
SETTINGS = {
    **vars(Config()),
    "epochs": FACTS.epochs,
    "meta_batch_size": META_BATCH,
    "l2t_episodes": 1,
}
WEIGHT_NET = "weight_net.json"
CASES = [(name, {}) for name in registry.METHODS] + [
    ("meta_weight_net", {"speed": "fast"}),
    ("meta_weight_net", {"meta_fraction": 0.25}),
    ("meta_weight_net", {"meta_interval": 2}),
    ("meta_weight_net", {"reuse_gradient": True}),
    ("meta_weight_net", {"recompute": True}),
    ("meta_weight_net", {"recompute": True, "reuse_gradient": True}),
    ("meta_weight_net", {"virtual_step": "optimizer", "detach_loss": False}),
    ("meta_weight_net", {"weight_net": WEIGHT_NET}),
    ("meta_weight_net", {"meta_fraction": 0.5}),
    ("meta_weight_net", {"meta_learning_rate": 0.0, "speed": "fast"}),
    ("learned_weight_decay", {"meta_learning_rate": 0.0}),
    ("meta_weight_net", {"meta_fraction": 0.5, "meta_interval": 2, "recompute": True}),
    ("adaptive_gce", {"speed": "fast"}),
    ("cmw_net", {"cmw_meta_set": "given", "speed": "fast"}),
    ("cmw_net", {"cmw_meta_set": "balanced", "cmw_warmup": 0.0}),
    ("cmw_net_sl", {"cmw_meta_set": "given", "meta_interval": 2}),
    ("cmw_net_sl", {"cmw_mixup": 0.0, "reuse_gradient": True}),
    ("cmw_net_sl", {"cmw_meta_set": "given", "meta_fraction": 0.5}),
    ("learned_weight_decay", {"meta_interval": 2}),
    ("hypergradient_descent", {"hypergradient_set": "training"}),
    ("hypergradient_descent", {"meta_interval": 2}),
    ("architecture_gate", {"gate_order": "first"}),
    ("architecture_gate", {"meta_interval": 2}),
    ("s_model", {"s_model_noise_rate": 0.2}),
]


@pytest.mark.parametrize(
    ("name", "changed"), CASES, ids=lambda part: part if isinstance(part, str) else str(part)
)
def test_a_step_takes_the_passes_that_its_method_states(name, changed, tmp_path):
    settings = {**SETTINGS, **changed}
    if "weight_net" in changed:
        settings["weight_net"] = str(tmp_path / WEIGHT_NET)
        save_weight_net(WeightNet(), settings["weight_net"])
    method = registry.METHODS[name]
    stated = {phase.name: phase.passes for phase in method.phases(settings)}
    counted = passes_by_phase(method, settings)
    for phase in stated:
        print(f"| {name} {changed or ''} | {phase} | {stated[phase]} | {counted[phase]} |")
        assert stated[phase].training == pytest.approx(counted[phase].training)
        assert stated[phase].meta == pytest.approx(counted[phase].meta)
    assert stated.keys() == counted.keys()


def passes_by_phase(method, settings):
    """What a step of each phase takes: the mean over the interval between two updates of Θ."""
    model = model_of(method, settings)
    interval = getattr(model, "meta_interval", 1) or 1
    counted, traced = {}, {}
    for phase in method.phases(settings):
        if model.phases is not None:
            assert model.phases.current == phase.name
        steps = []
        for position in range(interval):
            model.optimizer.iterations.assign(position)
            model._step_kind = model.step_kind()
            if model._step_kind not in traced:
                traced[model._step_kind] = passes_of_step(model)
            steps.append(traced[model._step_kind])
        counted[phase.name] = Passes(
            np.mean([step.training for step in steps]), np.mean([step.meta for step in steps])
        )
        for _ in range(phase.epochs if model.phases is not None else 0):
            model.phases.advance()
    return counted


def model_of(method, settings):
    """Around a classifier of four layers, the second of which is the one to watch."""
    layers = [keras.Input((FEATURES,))]
    layers += [keras.layers.Dense(units, activation="relu") for units in (*KERNEL, 7)]
    classifier = keras.Sequential([*layers, keras.layers.Dense(CLASSES)])
    model = registry.build(method, classifier, settings, FACTS)
    optimizers = {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}
    if method.meta_optimizer and not method.uses_file(settings):
        optimizers["meta_optimizer"] = "sgd"
    model.compile(**optimizers)
    return model


def passes_of_step(model):
    """The products of one step that it needs, in passes over either batch."""
    step = tf.function(model.train_step, autograph=False)
    rows = list(rows_of_products(step.get_concrete_function(element_spec(model.needs_meta_set))))
    assert set(rows) <= {*(BATCH // k for k in PARTS), META_BATCH, BATCH + META_BATCH}
    both = rows.count(BATCH + META_BATCH)
    training = sum(rows.count(BATCH // k) / k for k in PARTS)
    return Passes(training + both, rows.count(META_BATCH) + both)


def element_spec(needs_meta_set):
    spec = {
        "inputs": tf.TensorSpec((BATCH, FEATURES)),
        "sample_id": tf.TensorSpec((BATCH,), tf.int64),
    }
    if needs_meta_set:
        spec["meta_inputs"] = tf.TensorSpec((META_BATCH, FEATURES))
        spec["meta_labels"] = tf.TensorSpec((META_BATCH,), tf.int64)
    return spec, tf.TensorSpec((BATCH,), tf.int64)


def rows_of_products(function):
    """The number of examples in each product with the kernel or of its shape."""
    for operation in executed(function.graph):
        if operation.type != "MatMul":
            continue
        sizes = {size for tensor in operation.inputs for size in tensor.shape}
        if set(KERNEL) < sizes:
            yield (sizes - set(KERNEL)).pop()


def executed(graph):
    """The operations that the results of a traced function, or its effects, depend on."""
    waiting, found = [*(t.op for t in graph.outputs), *graph.control_outputs], set()
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [*(t.op for t in operation.inputs), *operation.control_inputs]
            if operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
                name = operation.get_attr("f").name
                found |= executed(operation.graph._get_function(name).graph)
    return found
