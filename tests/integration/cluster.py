"""Processes on this machine that train together."""

import json
import socket
import subprocess

import pytest

from tests.integration.commands import ROOT, environment


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


def start(command, variables):
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment(), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_all(processes, timeout=240):
    """Exit codes and outputs; processes that are still there after `timeout` seconds are killed."""
    try:
        outputs = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], outputs


def run_all(commands, environments, timeout=240):
    """Runs all at the same time, to a good end."""
    started = [start(*each) for each in zip(commands, environments, strict=True)]
    codes, outputs = end_all(started, timeout)
    assert not any(codes), "\n".join(out[-2000:] + err[-4000:] for out, err in outputs)
    return outputs
