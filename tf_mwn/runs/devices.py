"""The devices that train together: one, all of a machine, or those of several machines."""

import contextlib
import functools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import tensorflow as tf

from tf_mwn.files import Folder, FolderConflictError, ReadOnlyFolder
from tf_mwn.settings.config import Config
from tf_mwn.training.distributed_loop import spans_machines

# The errors that TensorFlow raises in a step when another worker is lost.
_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class LostWorkerError(ConnectionError):
    """Another worker has ended or cannot be reached. The last checkpoint is kept."""


def configure_devices(config: Config, many_machines: bool = False) -> tf.distribute.Strategy:
    """Applies the process-wide settings of `config`. Call it before any tensor is made.

    Args:
        config: of the experiment.
        many_machines: whether the caller does the same work on every worker of a cluster.

    Returns:
        For "mirrored" a strategy with all GPUs, or logical CPU devices if there are none; for
        "multi_worker" one with all workers in TF_CONFIG; for "none" the default strategy.

    Raises:
        ValueError: there are not so many devices, or TF_CONFIG is missing or wrong.
    """
    if config.strategy == "multi_worker" and not many_machines:
        raise ValueError(
            "strategy: expected none or mirrored, received multi_worker, which is for launch.main"
        )
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    if config.strategy == "none":
        tf.config.list_logical_devices()
        return tf.distribute.get_strategy()
    if config.strategy == "multi_worker":
        return _multi_worker()
    if not tf.config.list_physical_devices("GPU"):
        return _mirrored(_device_names(config.devices)[: config.devices])
    if config.devices > 1:
        raise ValueError(
            "devices: expected 1 on a machine with GPUs, which are all used, received "
            f"{config.devices}"
        )
    return _mirrored(_device_names(1))


def strategies(
    counts: Iterable[int], deterministic: bool = False
) -> dict[int, tf.distribute.Strategy]:
    """A strategy for each number of devices. Without a GPU, the CPU is divided.

    Call it before any tensor is made.

    Args:
        counts: numbers of devices.
        deterministic: whether to make all operations of the process deterministic.

    Raises:
        ValueError: more devices than there are GPUs.
    """
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    most = max(counts)
    names = _device_names(most)
    if len(names) < most:
        raise ValueError(f"devices: expected at most the {len(names)} GPUs, received {most}")
    return {
        n: tf.distribute.get_strategy() if n == 1 else _mirrored(names[:n]) for n in set(counts)
    }


def _device_names(least: int) -> list[str]:
    """The names of all GPUs, or if there are none, of at least `least` parts of the CPU."""
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU":
        cpu = tf.config.list_physical_devices("CPU")[0]
        if len(tf.config.get_logical_device_configuration(cpu) or [cpu]) < least:
            logical = [tf.config.LogicalDeviceConfiguration()] * least
            tf.config.set_logical_device_configuration(cpu, logical)
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _mirrored(names: list[str]) -> tf.distribute.MirroredStrategy:
    # On the CPU, collectives fail when one process builds models of different shapes.
    on_gpus = "GPU" in names[0]
    operations = None if on_gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(names, cross_device_ops=operations)


def _multi_worker() -> tf.distribute.MultiWorkerMirroredStrategy:
    cluster, (kind, index) = _tf_config()
    workers = [address for job in cluster.values() for address in job]
    print(f"{kind} {index} at {cluster[kind][index]}, {len(workers)} workers", flush=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"TF_CONFIG: expected the workers {workers} to meet, received {reason}"
        ) from error


def _tf_config() -> tuple[Mapping[str, list[str]], tuple[str, int]]:
    """The cluster in TF_CONFIG and the task of this worker, checked."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise ValueError(
            "strategy: expected the environment variable TF_CONFIG on every worker of "
            "multi_worker, received none; see docs/scaling.md"
        )
    try:
        content = json.loads(text)
        cluster, task = content["cluster"], content["task"]
        kind, index = task["type"], int(task["index"])
        # A string has items too, and -1 is a valid index of a list.
        if not all(isinstance(job, list) for job in cluster.values()) or index < 0:
            raise ValueError("no list of addresses, or no place in it")
        cluster[kind][index]  # noqa: B018
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(
            'TF_CONFIG: expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
            f'"worker", "index": 0}}}}, received {text!r}'
        ) from error
    if not set(cluster) <= {"chief", "worker"}:
        raise ValueError(
            f"TF_CONFIG: expected jobs chief and worker, received {', '.join(cluster)}"
        )
    return cluster, (kind, index)


def check_shares(strategy: tf.distribute.Strategy, **sizes: int) -> None:
    """Refuses global batches that leave a device without examples.

    TensorFlow cuts a batch into equal shares, rounded up. The last share is the rest.

    Raises:
        ValueError: the last share would be empty.
    """
    replicas = strategy.num_replicas_in_sync
    for name, size in sizes.items():
        if (replicas - 1) * -(-size // replicas) >= size:
            raise ValueError(
                f"{name}: expected a share for each of {replicas} devices, received {size}; choose "
                f"a multiple of {replicas}"
            )


def check_part(strategy: tf.distribute.Strategy, batch_size: int, every: int) -> None:
    """Refuses a batch of which every k-th example might leave a device without one.

    Raises:
        ValueError: the share of a device is smaller than k.
    """
    replicas = strategy.num_replicas_in_sync
    last = batch_size - (replicas - 1) * -(-batch_size // replicas)
    if replicas > 1 and last < every:
        raise ValueError(
            f"meta_fraction: expected at least {every} training examples on each of {replicas} "
            f"devices with 1/{every}, received {last} on the last one"
        )


class Workers:
    """The processes that train together under one strategy; often only this process.

    All of them run the same program and call the methods below at the same places.

    Attributes:
        is_chief: whether this process writes files.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self._strategy = strategy if spans_machines(strategy) else None
        self.is_chief = self._strategy is None or _is_chief(strategy.cluster_resolver)

    def folder(self, path: str | Path) -> Folder:
        """The folder at `path`, which only the chief writes."""
        return Folder(path) if self.is_chief else ReadOnlyFolder(path)

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true on any worker. Returns when all workers have called it."""
        if self._strategy is None:
            return flag
        return float(_sum_over(self._strategy)(tf.constant(float(flag)))) > 0

    def wait(self) -> None:
        """Returns when all workers have called it."""
        self.any(False)

    def check_same(self, epochs: int, path: Path) -> None:
        """Refuses folders at `path` that hold different numbers of finished epochs.

        Raises:
            FolderConflictError: on every worker, if the numbers differ.
        """
        if self._strategy is None:
            return
        total = float(_sum_over(self._strategy)(tf.constant(float(epochs))))
        if self.any(total != epochs * self._strategy.num_replicas_in_sync):
            raise FolderConflictError(
                f"{path}: expected one folder that all workers see, received {epochs} finished "
                "epochs here and another number elsewhere; choose a --workdir that they share"
            )

    @contextlib.contextmanager
    def chief_first(self) -> Iterator[None]:
        """Lets the chief execute the block before the other workers do.

        Raises:
            LostWorkerError: on the other workers, if the block of the chief has failed.
        """
        if not self.is_chief and self.any(False):
            raise LostWorkerError("the chief has stopped; its output says why")
        failed = True
        try:
            yield
            failed = False
        finally:
            if self.is_chief:
                self.any(failed)

    @contextlib.contextmanager
    def losses(self) -> Iterator[None]:
        """Raises `LostWorkerError` with one sentence if another worker is lost in the block."""
        try:
            yield
        except _GONE as error:
            if self._strategy is None:
                raise
            raise LostWorkerError(
                f"a worker was lost ({type(error).__name__}); start the same command on all "
                "workers again, and they continue from the last checkpoint"
            ) from error


def _is_chief(resolver) -> bool:
    first = ("chief", "worker")["chief" not in resolver.cluster_spec().jobs]
    return (resolver.task_type, resolver.task_id) == (first, 0)


@functools.cache
def _sum_over(strategy: tf.distribute.Strategy):
    """A compiled sum of a float32 scalar over all replicas."""

    def total(value):
        return strategy.reduce("SUM", strategy.run(tf.identity, args=(value,)), axis=None)

    scalar = tf.TensorSpec([], tf.float32)
    return tf.function(total, autograph=False, input_signature=[scalar])
