"""The time that planned runs will take, from step times on two idle CPU cores."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_mwn.data.bias.imbalance import class_shares
from tf_mwn.methods import registry
from tf_mwn.methods.spec.method import Phase
from tf_mwn.reproduction.planned_runs import Planned, PlannedRun
from tf_mwn.runs.run import FINISHED, STARTED
from tf_mwn.settings.config import Config
from tf_mwn.training.options import PASSES

# Training examples, classes and pixels of the data sets of the recipes.
_SETS = {
    "digits": (1438, 10, 64),
    "rare_positives": (18_000, 2, 20),
    "made_text": (4_800, 4, 20),
    "fashion_mnist": (60_000, 10, 784),
    "cifar10": (50_000, 10, 1024),
    "cifar100": (50_000, 100, 1024),
    "clothing1m": (1_000_000, 14, 224 * 224),
}
# Seconds of a plain step on 100 examples. Those above a second are not measured but follow from
# the number of multiplications.
_STEP = {"mlp": 0.004, "resnet32": 0.25, "wrn_28_10": 19.0, "applications/ResNet50": 15.0}
_START = 15.0  # seconds until the first step of a process
_EPOCH = 0.2  # seconds of evaluation and writing after each epoch


def seconds(run: Planned, ratio: float = 1.0, workdir: str | Path | None = None) -> float | None:
    """The estimated time of a run or study; None if the data set or the network is not known.

    Args:
        run: the run or study.
        ratio: measured over tabulated time of a step, see `factor`.
        workdir: where the run may have been started. Its finished epochs are not counted.
    """
    config, count = run.experiment.config, _steps(run)
    plain = _plain_step_seconds(config)
    if count is None or plain is None:
        return None
    total, done = _START, 0 if workdir is None else _finished_epochs(run, workdir)
    for name, number in run.trainings().items():
        method = registry.find(name)
        for phase in method.phases(vars(config)):
            left = max(0, phase.epochs - done)
            done -= phase.epochs - left
            step = ratio * _step_seconds(config, method, phase)
            total += number * left * (_EPOCH + count * step)
        # A run that is killed in its last phase repeats it.
        last = ratio * plain * _last_phase_examples(config, method, count) / 100
        total += number * method.fine_tuning_epochs(vars(config)) * (_EPOCH + last)
    return total


def _finished_epochs(run: Planned, workdir: str | Path) -> int:
    """The epochs in the table of a run that has been started; 0 for a study."""
    if not isinstance(run, PlannedRun) or run.state(workdir) != STARTED:
        return 0
    return max(map(len, run.run(workdir).metrics().values()), default=0)


def _last_phase_examples(config: Config, method: registry.Method, steps: int) -> int:
    """The examples of an epoch of the last phase, which is cut as by `fine_tuning.cut_steps`.

    That is not called, as its module loads TensorFlow.
    """
    clean = max(1, round(config.meta_size * (1 - method.holds_back(vars(config)))))
    batch = min(config.meta_batch_size or config.batch_size, clean)
    return batch * min(steps, max(1, PASSES * clean // batch))


def factor(runs: Sequence[Planned], workdir: str | Path) -> float | None:
    """The median ratio of the measured to the tabulated time of a step, over finished runs.

    None if no run that the table covers has finished.
    """
    ratios = []
    for run in runs:
        if isinstance(run, PlannedRun) and run.state(workdir) == FINISHED:
            config = run.experiment.config
            # The recorded time is the median over epochs, which belongs to the longest phase.
            method = registry.find(run.method)
            longest = max(method.phases(vars(config)), key=lambda phase: phase.epochs)
            step = _step_seconds(config, method, longest)
            if step is not None:
                ratios.append(run.run(workdir).results["seconds_per_step"] / step)
    return statistics.median(ratios) if ratios else None


def _name_of_set(config: Config) -> str | None:
    if config.network == "applications/ResNet50" and config.image_size == 224:
        return "clothing1m"
    return config.dataset if config.dataset in _SETS else None


def _plain_step_seconds(config: Config) -> float | None:
    """Seconds of a plain step on 100 examples; None if network or data set is not known."""
    name = _name_of_set(config)
    if config.network == "small_cnn" and name is not None:
        return 0.006 + 1e-5 * _SETS[name][2]
    return _STEP.get(config.network)


def _step_seconds(config: Config, method: registry.Method, phase: Phase) -> float | None:
    """Seconds of a step of a phase, by its passes; a plain step makes three over its batch."""
    plain = _plain_step_seconds(config)
    if plain is None:
        return None
    meta_batch = method.meta_batch_size(vars(config), config.meta_size)
    examples = phase.passes.training * config.batch_size + phase.passes.meta * meta_batch
    return plain * examples / 300


def _steps(run: Planned) -> int | None:
    """The steps of an epoch; None if the data set is not known."""
    config = run.experiment.config
    name = _name_of_set(config)
    if name is None:
        return None
    examples, classes, _ = _SETS[name]
    examples -= config.meta_size + config.validation_size
    examples = min(examples, config.train_size or examples)
    shares = class_shares(config.imbalance, config.imbalance_factor, classes)
    return max(1, int(examples * np.mean(shares)) // config.batch_size)
