"""Time of a training step of each method, as a ratio to plain cross-entropy."""

import dataclasses
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.engine.optimizers import CoupledAdam, CoupledSGD
from tf_mwn.experiments.config import Config
from tf_mwn.methods import registry
from tf_mwn.methods.facts import TrainingFacts

BASELINE = "cross_entropy"


@dataclasses.dataclass(frozen=True)
class StepCost:
    """One timed configuration.

    Attributes:
        name: what was timed.
        milliseconds: median time of one step.
        ratio: median over rounds of this step's time over the baseline's in the same round.
        tracing_seconds: time of the first call, which builds the step.
    """

    name: str
    milliseconds: float
    ratio: float
    tracing_seconds: float


def measure(
    cases: Mapping[str, tuple[str, Mapping[str, Any]]],
    network: str,
    batch_size: int,
    rounds: int,
    input_shape: tuple[int, ...] = (32, 32, 3),
    num_classes: int = 10,
) -> list[StepCost]:
    """Times one step of each case on synthetic images, in one process, interleaved.

    Every round runs one step of each case in turn, so that a change in the machine's load hits
    all of them; two rounds warm up.

    Args:
        cases: name -> (method, options of its constructor); the baseline is added if missing.
        network: name of the classifier.
        batch_size: size of the training and of the meta batch.
        rounds: timed steps of each case.
        input_shape, num_classes: of the synthetic images.
    """
    cases = {BASELINE: (BASELINE, {}), **cases}
    element = _element(batch_size, input_shape, num_classes)
    steps, tracing = {}, {}
    for name, (method, options) in cases.items():
        classifier = networks.build(network, input_shape, num_classes)
        step = _step(method, options, classifier, _facts(batch_size, num_classes))
        started = time.perf_counter()
        step(element)
        tracing[name] = time.perf_counter() - started
        steps[name] = step
    times = {name: [] for name in cases}
    for _ in range(rounds + 2):
        for name, step in steps.items():
            started = time.perf_counter()
            step(element)
            times[name].append(time.perf_counter() - started)
    return [_cost(name, times, tracing[name]) for name in cases]


def _cost(name: str, times: Mapping[str, Sequence[float]], tracing_seconds: float) -> StepCost:
    own, baseline = times[name][2:], times[BASELINE][2:]
    ratio = statistics.median(a / b for a, b in zip(own, baseline, strict=True))
    return StepCost(name, 1000 * statistics.median(own), ratio, tracing_seconds)


def _element(batch_size: int, input_shape: tuple[int, ...], num_classes: int):
    rng = np.random.default_rng(0)

    def images():
        return tf.constant(rng.normal(size=(batch_size, *input_shape)), tf.float32)

    def labels():
        return tf.constant(rng.integers(0, num_classes, batch_size))

    ids = tf.range(batch_size)
    features = {"inputs": images(), "sample_id": ids}
    return {**features, "meta_inputs": images(), "meta_labels": labels()}, labels()


def _facts(batch_size: int, num_classes: int) -> TrainingFacts:
    """Facts of a training set of one batch."""
    return TrainingFacts(
        num_classes=num_classes,
        num_examples=batch_size,
        class_counts=np.ones(num_classes),
        steps_per_epoch=1,
        epochs=1,
        num_sample_ids=batch_size,
        seed=0,
        noise_rate=0.0,
        transition_matrix=np.eye(num_classes),
    )


def _step(method: str, options: Mapping[str, Any], classifier: keras.Model, facts: TrainingFacts):
    """The method's compiled training step, a function of one element."""
    row = registry.find(method)
    model = registry.build(row, classifier, {**vars(Config()), **options}, facts)
    meta = {"meta_optimizer": CoupledAdam(1e-3)} if row.compile_options else {}
    optimizer = CoupledSGD(0.01, momentum=0.9, coupled_weight_decay=5e-4)
    model.compile(optimizer, metrics=["accuracy"], **meta)
    model.make_train_function()

    def step(element):
        result = model.train_function(iter([element]))
        return float(result["loss"])  # waits for the step to end

    return step
