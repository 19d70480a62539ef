"""The same training on any number of devices, in this process: one, some, or a worker of a cluster.

`python -m tests.training.law DEVICES FILE CASE...` writes what came out. DEVICES is 0 for a
worker of the cluster in TF_CONFIG.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from tests.models import mlp
from tf_mwn.data.streams.pipeline import evaluation_dataset, training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.files import FolderConflictError
from tf_mwn.methods import registry
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.networks.batch_norm import synchronised
from tf_mwn.runs.devices import LostWorkerError, Workers, configure_devices
from tf_mwn.runs.termination import Termination
from tf_mwn.settings.config import Config
from tf_mwn.training import distributed_loop
from tf_mwn.training.whole_sets import WholeSets

STEPS, EPOCHS, CLASSES, FEATURES = 10, 5, 3, 5
L = keras.layers
WEIGHTED = "MW-Net, uneven shares"  # the case whose examples have the weights 0, 1 and 2


def mlp_with_batch_norm():
    inputs = keras.Input((FEATURES,))
    x = L.BatchNormalization(momentum=0.9)(L.Dense(7, use_bias=False)(inputs))
    return synchronised(keras.Model(inputs, L.Dense(CLASSES)(L.Activation("tanh")(x))))


def case(method, network=mlp, batch=16, meta_batch=8, **settings):
    return method, network, batch, meta_batch, settings


CASES = {
    "cross-entropy": case("cross_entropy"),
    "MW-Net, exact, mean": case("meta_weight_net"),
    "MW-Net, exact, sum": case("meta_weight_net", weight_normalization="sum"),
    "MW-Net, head, mean": case("meta_weight_net", virtual_variables="head"),
    "MW-Net, head, sum": case(
        "meta_weight_net", virtual_variables="head", weight_normalization="sum"
    ),
    "L2RW": case("l2rw"),
    "adaptive GCE": case("adaptive_gce"),
    "CMW-Net": case("cmw_net"),
    "learned weight decay, uneven shares": case("learned_weight_decay", batch=10, meta_batch=7),
    "hypergradient descent": case("hypergradient_descent"),
    "architecture gate, uneven shares": case("architecture_gate", batch=10, meta_batch=7),
    WEIGHTED: case("meta_weight_net", batch=10, meta_batch=7, weight_normalization="sum"),
    "MW-Net, synchronised batch norm": case(
        "meta_weight_net", network=mlp_with_batch_norm, weight_normalization="sum"
    ),
}


def sets(size):
    """Training set with wrong labels, meta set."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, FEATURES))
    y = rng.integers(0, CLASSES, size + 40)
    x = (centres[y] + 0.7 * rng.normal(size=(size + 40, FEATURES))).astype("float32")
    given = np.where(rng.uniform(size=size) < 0.3, (y[:size] + 1) % CLASSES, y[:size])
    return Subset(x[:size], given, None, np.arange(size)), Subset(x[size:], y[size:], None, None)


def stream(name):
    """Endless training batches, and the sets behind them."""
    method, _, batch, meta_batch, _ = CASES[name]
    train, meta = sets(STEPS * batch)
    if method == "cross_entropy":
        meta = None
    batches = training_stream(train, meta, batch, meta_batch if meta else None, seed=3)
    if name == WEIGHTED:
        batches = batches.map(lambda x, y: (x, y, tf.cast(x["sample_id"] % 3, tf.float32)))
    return batches, train, meta


def compiled(name):
    method, network, _, _, settings = CASES[name]
    keras.utils.set_random_seed(1)
    train, row = stream(name)[1], registry.find(method)
    facts = TrainingFacts(
        num_classes=CLASSES,
        num_examples=len(train),
        class_counts=np.bincount(train.label),
        steps_per_epoch=STEPS,
        epochs=EPOCHS,
        num_sample_ids=len(train),
        seed=0,
    )
    model = registry.build(row, network(), {**vars(Config()), **settings}, facts)
    optimizers = {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}
    if row.meta_optimizer:
        # Plain SGD: Adam would hide a factor of the number of replicas.
        optimizers["meta_optimizer"] = keras.optimizers.SGD(1.0)
    model.compile(**optimizers, metrics=["accuracy"])
    return model


def trained(name):
    """The model of a case after 50 steps, and its history; in the scope of the strategy."""
    model = compiled(name)
    dataset, train, meta = stream(name)
    if meta is not None:
        model.whole_sets = WholeSets.from_arrays(train.x, train.label, meta.x, meta.label)
    options = {"epochs": EPOCHS, "steps_per_epoch": STEPS, "shuffle": False, "verbose": 0}
    return model, model.fit(dataset, **options).history


def outcome(name):
    """Weights, measures, and the accuracy on 33 examples in batches of 8."""
    model, history = trained(name)
    measures = {key: values[-1] for key, values in history.items()}
    x, y = sets(33)[0].x, sets(33)[0].label
    measures |= {
        f"test_{key}": value
        for key, value in model.evaluate(
            evaluation_dataset(x, y, 8), verbose=0, return_dict=True
        ).items()
    }
    return [np.array(w) for w in model.get_weights()], measures


def shares(strategy, dataset, steps):
    """The ids of each step that this process' devices get, -1 between devices."""
    found = []
    for data, _ in zip(distributed_loop.distributed(strategy, dataset), range(steps), strict=False):
        parts = strategy.experimental_local_results(data)
        found.append(np.concatenate([np.append(part, -1) for part in parts]))
    return found


def agreements(strategy):
    """What two workers that differ agree on, as 1 and 0."""
    workers = Workers(strategy)
    termination = Termination(workers.any)
    termination.requested = not workers.is_chief
    found = {"is_chief": workers.is_chief, "both_heard": termination.heard()}
    found["none_is_none"] = not workers.any(False)
    try:
        with workers.chief_first():
            if workers.is_chief:
                raise ValueError("a mistake")
    except ValueError:
        found["failed"] = workers.is_chief
    except LostWorkerError:
        found["failed"] = not workers.is_chief
    workers.check_same(4, "folder")
    try:
        workers.check_same(int(workers.is_chief), "folder")
    except FolderConflictError:
        found["other_folder"] = True
    return {key: np.array(value, int) for key, value in found.items()}


def main(devices, file, names):
    kind = "mirrored" if devices else "multi_worker"
    config = Config(strategy=kind, devices=devices or 1, deterministic=False)
    strategy = configure_devices(config, many_machines=True)
    arrays = {}
    if not devices:
        arrays |= agreements(strategy)
    ids = stream(WEIGHTED)[0].map(lambda x, *_: x["sample_id"])
    for step, array in enumerate(shares(strategy, ids, STEPS)):
        arrays[f"ids {step}"] = array
    for step, array in enumerate(shares(strategy, tf.data.Dataset.range(33).batch(8), 99)):
        arrays[f"rows {step}"] = array
    for name in names:
        with strategy.scope():
            weights, measures = outcome(name)
        arrays |= {f"{name} w{i}": value for i, value in enumerate(weights)}
        arrays |= {f"{name} m {key}": value for key, value in measures.items()}
    np.savez(file, **arrays)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
