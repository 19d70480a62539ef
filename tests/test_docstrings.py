"""The examples in docstrings run, and every public name has some."""

import doctest
import importlib
import inspect
import pathlib
import re

import pytest
import tensorflow as tf

import tf_mwn

ROOT = pathlib.Path(tf_mwn.__file__).parent
PREAMBLE = re.search(r"```python\n(.*?)```", (ROOT.parent / "docs/reference.md").read_text(), re.S)[
    1
]


@pytest.fixture
def eager():
    """Functions run as they are: no example takes enough steps for a trace to be worth it."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def examples(names):
    """The docstrings with examples, in all modules; each sees `names`."""
    for path in sorted(ROOT.rglob("*.py")):
        if ">>> " in path.read_text():
            module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
            module = importlib.import_module(module.removesuffix(".__init__"))
            for test in doctest.DocTestFinder().find(module, globs=names):
                if test.examples:
                    yield test


@pytest.mark.filterwarnings("ignore:Even though the `tf.config")
def test_examples_in_docstrings(eager, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, failed = {}, []
    exec(PREAMBLE, names)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    tests = list(examples(names))
    for test in tests:
        runner.run(test, out=failed.append)
    assert len(tests) > 50 and not failed, "".join(failed)


def test_every_public_name_has_examples_and_leads_on():
    for name in tf_mwn.__all__:
        text = inspect.getdoc(getattr(tf_mwn, name))
        assert "\nExamples:\n    >>> " in text and "\nSee Also:\n" in text, name
