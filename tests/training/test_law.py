"""One result on one device, on four, and on two workers: weights, measures, and who gets what.

By default two cases in which most can go wrong, and no second time two devices, on which
`tests/methods/test_registry.py` trains every method. TF_MWN_LAW=all takes all; -s prints the
largest differences.
"""

import functools
import os

import numpy as np
import pytest

from tests.integration.cluster import run_all, worker_environments
from tests.training import law

EVERYTHING = os.environ.get("TF_MWN_LAW") == "all"
CASES = tuple(law.CASES) if EVERYTHING else ("L2RW", "MW-Net, uneven shares")
ROUTES = ["two devices", "four", "chief", "worker"][not EVERYTHING :]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What was found by one process with four devices, and by each of two workers."""
    folder = tmp_path_factory.mktemp("law")
    names = ["four", "chief", "worker"]
    files = [str(folder / f"{name}.npz") for name in names]
    arguments = [[str(4 * (f == files[0])), f, *CASES] for f in files]
    timeout = 1200 if EVERYTHING else 300
    run_all("tests.training.law", arguments, [{}, *worker_environments(2)], timeout)
    return {name: dict(np.load(file)) for name, file in zip(names, files, strict=True)}


@functools.cache
def one_device(name):
    return law.outcome(name)


@functools.cache
def two_devices(name, strategy):
    with strategy.scope():
        return law.outcome(name)


def of_process(arrays, name):
    weights = [
        arrays[f"{name} w{i}"] for i in range(sum(k.startswith(f"{name} w") for k in arrays))
    ]
    prefix = f"{name} m "
    return weights, {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


@pytest.fixture(params=ROUTES)
def other(request, mirrored):
    """The outcome of a case by another route than one device."""
    if request.param == "two devices":
        return lambda name: two_devices(name, mirrored)
    outcomes = request.getfixturevalue("outcomes")
    return lambda name: of_process(outcomes[request.param], name)


@pytest.mark.parametrize("name", CASES)
def test_weights_are_those_of_one_device(name, other, request):
    weights = one_device(name)[0]
    others = other(name)[0]
    largest = max(abs(a - b).max() for a, b in zip(weights, others, strict=True))
    print(f"\n{name:32} {request.node.callspec.params['other']:12} {largest:.1e}", end="")
    assert largest < 5e-5
    start = law.compiled(name).get_weights()
    assert all(abs(a - b).max() > 1e-5 for a, b in zip(start, weights, strict=True) if a.ndim)


@pytest.mark.parametrize("name", CASES)
def test_measures_are_those_of_one_device(name, other):
    measures, others = one_device(name)[1], other(name)[1]
    assert measures.keys() == others.keys()
    for key, value in measures.items():
        np.testing.assert_allclose(others[key], value, rtol=1e-4, atol=1e-6, err_msg=key)


def parts_of(arrays, key):
    """The devices' shares of one batch."""
    flat = arrays[key]
    return [part[part >= 0] for part in np.split(flat, np.flatnonzero(flat == -1))]


@pytest.mark.parametrize("processes", [("four",), ("chief", "worker")])
def test_each_example_of_an_epoch_goes_to_one_device(outcomes, processes):
    dataset = law.stream("MW-Net, uneven shares")[0]
    seen = []
    for step, (features, *_) in zip(range(law.STEPS), dataset, strict=False):
        shares = [p for name in processes for p in parts_of(outcomes[name], f"ids {step}")]
        ids = np.concatenate(shares)
        np.testing.assert_array_equal(ids, features["sample_id"])
        seen.extend(ids)
    assert sorted(seen) == list(range(10 * law.STEPS))


@pytest.mark.parametrize("processes", [("four",), ("chief", "worker")])
def test_evaluation_gives_every_example_to_one_device(outcomes, processes):
    arrays = [outcomes[name] for name in processes]
    rows = [p for a in arrays for k in a if k.startswith("rows ") for p in parts_of(a, k)]
    assert sorted(np.concatenate(rows)) == list(range(33))


@pytest.mark.parametrize("name", ["chief", "worker"])
def test_workers_agree(outcomes, name):
    found = outcomes[name]
    assert found["is_chief"] == (name == "chief")
    for key in ("both_heard", "none_is_none", "failed", "other_folder"):
        assert found[key] == 1, key
