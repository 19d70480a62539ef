"""What works with the packages of the core alone, and what says which extra it needs."""

import subprocess
import sys

import pytest

from tests.integration.commands import ROOT, environment
from tf_mwn.extras import extra

CORE_ALONE = """
import sys
blocked = "tensorflow_datasets importlib_resources keras_tuner tensorboard matplotlib PIL"
for name in blocked.split():
    sys.modules[name] = None
import keras
import numpy as np
import tf_mwn

public = [getattr(tf_mwn, name) for name in tf_mwn.__all__]
x = np.random.default_rng(0).normal(size=(80, 5)).astype("float32")
y = (x[:, 0] > 0).astype(int)
model = tf_mwn.MetaWeightNet(keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]))
model.compile(optimizer="adam")
model.fit(x[20:], y[20:], x_meta=x[:20], y_meta=y[:20], batch_size=20, epochs=1, verbose=0)
print(model.predict(x, verbose=0).shape)

for module in ("data.sources.tfds", "search.sweep"):
    try:
        __import__(f"tf_mwn.{module}")
    except ImportError as error:
        print(error)
from tf_mwn.data.images.decoding import examine
from tf_mwn.launch import main
from tf_mwn.launch.command_line import parse
try:
    examine("a.png")
except ImportError as error:
    print(error)
main.main(parse(["main", "--epochs=1"]))
"""


def test_the_core_trains_and_the_rest_names_its_extra():
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[:4] == ["(80, 2)", *map(sentence, SENTENCES)], done.stderr
    assert done.stderr.splitlines()[-1] == "error: " + sentence(("tensorboard", "plots"))
    assert done.returncode == 1


SENTENCES = [
    ("tensorflow_datasets", "data"),
    ("tensorboard", "plots"),
    ("PIL", "data"),
]


def sentence(case):
    return f"{case[0]}: expected this package, received none: run pip install 'tf-mwn[{case[1]}]'"


def test_other_errors_of_a_package_are_its_own():
    with pytest.raises(ImportError, match="cannot import name 'nothing'"), extra("data"):
        from PIL import nothing  # noqa: F401
