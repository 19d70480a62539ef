"""Two logical CPU devices always, so that every test can be a test of replicas."""

import gc
import logging
import os

gc.disable()  # while modules are imported, which stay; see `pytest_collection_finish`
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras  # noqa: E402
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402

_CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
# Grappler optimises each small graph for longer than the graph then runs. Launched processes, the
# examples and the benchmark's keep it.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


# Folders whose tests start processes or train for long; first, so that none of them is last.
LONG = ("tests/integration", "tests/training", "tests/benchmark", "tests/search", "tests/launch")


def pytest_collection_modifyitems(items):
    """Puts the long tests first, for several processes end together then."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish():
    """Leaves what is imported out of garbage collections, which would take a sixth of the time."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With several processes, tests that share what they train once share one process."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFileOrMethod(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            if file == "tests/methods/test_registry.py":
                return f"{file}[{test.partition('[')[2]}"  # the method's name
            return file

    return ByFileOrMethod(config, log)


@pytest.fixture(autouse=True)
def _fresh_keras():
    """Each test starts from the same seeds and leaves no names behind."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def _silent_logger():
    """Each test begins without what a launcher sets for its own process; see `messages.show`."""
    logger = logging.getLogger("tf_mwn")
    logger.setLevel(logging.NOTSET)
    logger.propagate, logger.handlers[:] = True, []


@pytest.fixture
def float64():
    """Runs a test in double precision."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def float16():
    """Runs a test in half precision, with variables in float32."""
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def mirrored():
    """The strategy over both logical devices: one object per process, or collectives break."""
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
