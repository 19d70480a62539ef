"""Who may import whom, and what importing must not load."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# Packages of tf_mwn, and what each may import from the project. Arrows point down only.
ALLOWED = {
    "losses": {"names"},
    "weighting": {"names"},
    "networks": {"names"},
    "data": {"names"},
    "engine": set(),
    "meta_learners": {"engine", "losses", "weighting", "names"},
    "methods": {"engine", "meta_learners", "losses", "weighting", "networks", "names", "messages"},
    "monitoring": {"methods", "data", "names", "messages"},
    "experiments": {"methods", "meta_learners", "engine", "losses", "weighting", "networks", "data"}
    | {"monitoring", "names", "messages"},
    "auditing": {"experiments", "monitoring", "methods", "data"},
    "names": set(),
    "messages": set(),
}
# Third-party packages that only one place may import.
ONLY = {
    "absl.flags": {"launch"},
    "keras_tuner": {"tf_mwn/experiments/sweep.py"},
    "tensorboard": {"tf_mwn/monitoring"},
    "matplotlib": {"tf_mwn/monitoring"},
}


def python_files():
    return sorted([*ROOT.glob("tf_mwn/**/*.py"), *ROOT.glob("launch/**/*.py")])


def imported(path):
    """Dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_import_direction(path):
    place = path.relative_to(ROOT)
    package = place.parts[1].removesuffix(".py") if place.parts[0] == "tf_mwn" else "launch"
    for name in imported(path):
        parts = name.split(".")
        if place.parts[0] == "tf_mwn" and package != "__init__":
            assert parts[0] != "launch", f"{place} imports {name}"
            if parts[0] == "tf_mwn" and len(parts) > 1 and parts[1] in ALLOWED:
                assert parts[1] in ALLOWED[package] | {package}, f"{place} imports {name}"
        for restricted, homes in ONLY.items():
            if name == restricted or name.startswith(restricted + "."):
                assert any(str(place).startswith(home) for home in homes), f"{place}: {name}"


def test_every_package_is_in_the_table():
    packages = {p.parent.name for p in ROOT.glob("tf_mwn/*/__init__.py")}
    assert packages <= set(ALLOWED)


def test_no_file_is_a_drawer_for_everything():
    assert not [p for p in python_files() if p.stem in {"utils", "helpers", "common"}]


@pytest.mark.parametrize(
    "module",
    [
        "tf_mwn",
        "launch.main",
        "launch.audit",
        "launch.benchmark",
        "launch.evaluate",
        "launch.reproduce",
        "tf_mwn.experiments.listing",
        "tf_mwn.methods.registry",
    ],
)
def test_importing_loads_neither_tensorflow_nor_keras(module):
    code = f"import sys, {module}; print([m for m in sys.modules if m in ('tensorflow', 'keras')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("launcher", "flag"),
    [
        ("main", "--method=list"),
        ("main", "--recipe=list"),
        ("tune", "--method=list"),
        ("study", "--method=list"),
        ("study", "--recipe=list"),
        ("reproduce", "--table=list"),
        ("benchmark", "--method=list"),
    ],
)
def test_lists_load_neither_tensorflow_nor_keras(launcher, flag):
    code = (
        f"import sys; from launch import {launcher}; from launch.command_line import parse; "
        f"{launcher}.main(parse(['launch', '{flag}'])); "
        "print([m for m in sys.modules if m in ('tensorflow', 'keras')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *shown, loaded = done.stdout.splitlines()
    assert len(shown) > 3 and loaded == "[]"
