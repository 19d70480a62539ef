"""The package as users import it."""

import importlib.metadata
import pathlib
import re

import pytest

import tf_mwn
from tf_mwn.methods.registry import METHODS


def test_every_public_name_loads():
    for name in tf_mwn.__all__:
        assert getattr(tf_mwn, name).__name__ == name
        assert getattr(tf_mwn, name).__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MetaWeightNett'"):
        tf_mwn.MetaWeightNett  # noqa: B018


@pytest.mark.parametrize(
    ("package", "version", "wanted"),
    [("tensorflow", "2.20.1", "tensorflow >= 2.21"), ("keras", "3.9.0", "keras >= 3.15")],
)
def test_a_wrong_version_is_one_sentence(monkeypatch, package, version, wanted):
    real = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: version if name == package else real(name)
    )
    with pytest.raises(ImportError) as caught:
        tf_mwn._check_versions()
    message = str(caught.value)
    assert wanted in message and f"{package} {version}" in message and "\n" not in message


@pytest.mark.parametrize("version", ["2.21.0rc1", "2.22.0-dev20261101", "3.0"])
def test_newer_versions_pass(monkeypatch, version):
    real = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: version if name == "tensorflow" else real(name)
    )
    tf_mwn._check_versions()


def test_every_folder_with_code_is_a_package():
    """Or the wheel would lack it."""
    root = pathlib.Path(tf_mwn.__file__).parent.parent
    for top in ("tf_mwn", "launch"):
        for path in (root / top).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


def test_every_file_that_is_no_module_is_in_the_wheel():
    root = pathlib.Path(tf_mwn.__file__).parent
    listed = (root.parent / "setup.py").read_text()
    for path in root.rglob("*.*"):
        package = ".".join(path.parent.relative_to(root.parent).parts)
        if path.suffix not in (".py", ".pyc"):
            assert re.search(rf'"{package}": \[[^\]]*"{path.name}"', listed), path


def test_the_citation_file_has_the_papers_of_all_methods():
    cited = (pathlib.Path(tf_mwn.__file__).parent.parent / "CITATION.cff").read_text()
    papers = " ".join(method.paper for method in METHODS.values())
    links = re.findall(r"https://\S+", papers)
    assert len(links) > 20 and not [link for link in links if f"url: {link}\n" not in cited]
