"""Processes on this machine that train together."""

import json
import pathlib
import socket
import tempfile
import time

import pytest

from tests.integration.commands import started


def free_ports(count):
    """Ports that nobody uses now; the test is skipped where none can be opened."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    except OSError as error:
        pytest.skip(f"no port can be opened on this machine: {error}")
    finally:
        for each in sockets:
            each.close()


def worker_environments(count):
    """TF_CONFIG of each worker of a cluster on this machine; the first is the chief."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(count)]}
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]


class Process:
    """A launch that goes on beside others; see `commands.started`."""

    def __init__(self, module, arguments, variables):
        self._folder = tempfile.TemporaryDirectory()
        self._process = started(
            *arguments, module=module, variables=variables, streams=self._folder.name
        )
        self.kill, self.is_alive = self._process.kill, self._process.is_alive

    def end(self, until):
        """Exit code, output and errors; killed if it is still there at a time."""
        self._process.join(max(0.0, until - time.monotonic()))
        self.kill()
        self._process.join()
        texts = [pathlib.Path(self._folder.name, name).read_text() for name in ("out", "err")]
        self._folder.cleanup()
        return self._process.exitcode, texts


def end_all(processes, timeout=240):
    """Exit codes and outputs; processes that are still there after `timeout` seconds are killed."""
    until = time.monotonic() + timeout
    codes, outputs = zip(*[process.end(until) for process in processes], strict=True)
    return list(codes), outputs


def run_all(module, arguments, environments, timeout=240):
    """Runs all at the same time, to a good end."""
    both = zip(arguments, environments, strict=True)
    codes, outputs = end_all([Process(module, *each) for each in both], timeout)
    assert not any(codes), "\n".join(out[-2000:] + err[-4000:] for out, err in outputs)
    return outputs
