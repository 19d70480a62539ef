"""Sweeps of tiny trainings, and curves that stand for a training."""

import tensorflow as tf

from tf_mwn.files import Folder
from tf_mwn.search.sweep import Sweep
from tf_mwn.search.sweep_plan import SweepPlan

TINY = {"network": "mlp", "epochs": 2, "train_size": 300, "batch_size": 50, "deterministic": False}


def plan(*space, method="gce", seeds=(0,), settings=(), **options) -> SweepPlan:
    searched = {text.partition("=")[0] for text in space}
    overrides = {k: v for k, v in TINY.items() if k not in searched} | dict(settings)
    return SweepPlan.make("quickstart", overrides, [method], seeds, space or None, **options)


def execute(chosen: SweepPlan, workdir):
    """The summary of a sweep, and its folder."""
    ready = Sweep.prepare(chosen, tf.distribute.get_strategy(), str(workdir))
    return ready.execute(), Folder(ready.path)


class Curves:
    """Stands for training: writes a run's files from a function of its settings.

    Args:
        curve: meta accuracies over the epochs, from (config, seed); it may raise.
    """

    def __init__(self, curve):
        self.curve, self.trained = curve, []

    def __call__(self, run, data, strategy):
        run.claim(data.card["fingerprint"])
        if run.results is None:
            values = self.curve(run.config, run.seed)
            self.trained.append((run.config, run.seed))
            # The test accuracy prefers what the objective does not.
            history = [
                {"epoch": i + 1, "meta_accuracy": value, "test_accuracy": 1 - value}
                for i, value in enumerate(values)
            ]
            run.write_metrics(history)
            run.folder.write_text("checkpoint.npz", f"{run.config.epochs} epochs")
            test = [record["test_accuracy"] for record in history]
            results = {"last_epoch_accuracy": test[-1], "best_epoch_accuracy": max(test)}
            run.write_results(results)


def constant(config, seed):
    """Best at q = 0.5, at every epoch."""
    return [1 - abs(config.gce_q - 0.5)] * config.epochs
