"""Saved models load after `import tf_mwn` alone."""

import pathlib
import subprocess
import sys

import keras
import pytest

import tf_mwn
from tests.models import batch, mlp
from tf_mwn import MetaWeightNet, paired_dataset
from tf_mwn.registration import register


@pytest.fixture
def nothing_registered():
    """Keras as it is in a process that has imported no module of this package."""
    known = keras.saving.get_custom_objects()
    kept = dict(known)
    known.clear()
    yield known
    known.clear()
    known.update(kept)


def test_a_checkpoint_of_keras_loads(tmp_path, nothing_registered):
    x, y = batch([(5,)], 8, 0)
    model = MetaWeightNet(mlp())
    model.compile("sgd", metrics=["accuracy"])
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    model.fit(paired_dataset(x, y, x, y, batch_size=4), verbose=0, callbacks=[checkpoint])
    nothing_registered.clear()
    register()
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, MetaWeightNet)
    assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))


def test_every_registered_class_has_a_stand_in(nothing_registered):
    register()
    root = pathlib.Path(tf_mwn.__file__).parent
    texts = [path.read_text() for path in root.glob("**/*.py") if path.name != "registration.py"]
    decorators = sum(text.count("\n@keras.saving.register_keras_serializable(") for text in texts)
    assert len(nothing_registered) == decorators > 50


def test_keras_may_be_imported_later():
    code = (
        "import tf_mwn, keras; print('tf_mwn>MetaWeightNet' in keras.saving.get_custom_objects())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr
