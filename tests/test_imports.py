"""Who may import whom, and what importing must not load."""

import ast
import pathlib
import re
import runpy
import subprocess
import sys

import pytest
import setuptools

ROOT = pathlib.Path(__file__).parent.parent
# The floors of the house, from the ground up: a folder of tf_mwn (or a module that stands alone)
# imports from floors below its own, and from the folders of its own floor that stand left of it.
FLOORS = (
    ("checks", "messages", "tables", "files", "registration", "extras", "tensors") + ("row_keys",),
    ("options",),
    ("engine", "losses", "networks", "label_noise"),
    ("data.images", "data", "data.bias", "data.splits", "data.streams", "data.sources"),
    ("training.checks", "training"),
    ("methods.spec",),
    ("methods.rules", "methods.losses", "methods.meta_weight_net", "methods.reweighting")
    + ("methods.mentornet", "methods.correction", "methods.teachers", "methods.hyper_parameters"),
    ("methods",),
    ("monitoring",),
    ("settings",),
    ("recipes",),
    ("runs",),
    ("search", "benchmark"),
    ("reproduction", "auditing"),
    ("estimators",),
    ("launch",),
)
ORDER = [room for floor in FLOORS for room in floor]
# Third-party packages, and the one place that may import each.
ONLY = {
    "absl.flags": "tf_mwn/launch",
    "keras_tuner": "tf_mwn/search/sweep.py",
    "tensorboard": "tf_mwn/monitoring",
    "matplotlib": "tf_mwn/monitoring",
    "tensorflow_datasets": "tf_mwn/data/sources",
    "PIL": "tf_mwn/data/images",
}
# Projects by the names of their packages, where these differ.
PROJECTS = {"PIL": "pillow", "absl": "absl-py", "sklearn": "scikit-learn"}
# Packages that an optional column needs, which is absent without them.
OPTIONAL = {"cleanlab", "pandas"}


def python_files():
    return sorted(ROOT.glob("tf_mwn/**/*.py"))


def imported(path):
    """Dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name):
    """The folder of a dotted name below tf_mwn, or the module itself at the top; None for it."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in ORDER:
        parts.pop()
    return ".".join(parts) or None


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    place = path.relative_to(ROOT).with_suffix("")
    name = ".".join(place.parts).removesuffix(".__init__")
    for found in imported(path):
        if name != "tf_mwn" and found.startswith("tf_mwn."):
            here, there = ORDER.index(room_of(name)), ORDER.index(room_of(found))
            assert there <= here, f"{name} imports {found}, which stands above it"


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_some_packages_have_one_importer(path):
    place = str(path.relative_to(ROOT))
    for found in imported(path):
        for restricted, home in ONLY.items():
            if found == restricted or found.startswith(restricted + "."):
                assert place.startswith(home), f"{place} imports {found}"


@pytest.fixture
def requirements(monkeypatch):
    """The packages of each extra of setup.py, and of None, the core, by the names of projects."""
    given = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    runpy.run_path(str(ROOT / "setup.py"))
    listed = {None: given["install_requires"], **given["extras_require"]}
    return {
        name: {re.match(r"[\w-]+", line)[0].replace("_", "-") for line in lines}
        for name, lines in listed.items()
    }


def third_party(tree, extra=None):
    """Pairs (extra, package) of the imports in a tree; `extra` is that of the block around it."""
    for node in ast.iter_child_nodes(tree):
        inner = extra
        if isinstance(node, ast.With) and ast.unparse(node.items[0]).startswith("extra("):
            inner = node.items[0].context_expr.args[0].value
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        for package in {name.split(".")[0] for name in names} - sys.stdlib_module_names:
            yield extra, package
        yield from third_party(node, inner)


def test_every_package_is_of_the_core_or_in_the_block_of_its_extra(requirements):
    for path in python_files():
        for extra, package in third_party(ast.parse(path.read_text())):
            if package not in OPTIONAL | {"tf_mwn"}:
                project = PROJECTS.get(package, package.replace("_", "-"))
                place = f"{path.relative_to(ROOT)} imports {package}, extra {extra}"
                assert project in requirements[None] | requirements[extra], place


def test_nothing_imports_a_launcher_by_its_short_name():
    """That would be a second copy of the module, which defines its flags again."""
    for path in [*python_files(), *ROOT.glob("tests/**/*.py"), *ROOT.glob("examples/*.py")]:
        short = [name for name in imported(path) if name.split(".")[0] == "launch"]
        assert not short, f"{path.relative_to(ROOT)} imports {short[0]}"


def test_nothing_imports_a_test_file():
    """What two of them need is in a module that is named after what it holds."""
    for path in ROOT.glob("tests/**/*.py"):
        for name in imported(path):
            wrong = name.startswith("tests.") and ".test_" in name
            assert not wrong, f"{path.relative_to(ROOT)} imports {name}"


def test_every_folder_has_its_floor():
    folders = {path.parent.relative_to(ROOT / "tf_mwn") for path in ROOT.glob("tf_mwn/**/*.py")}
    names = {".".join(folder.parts) for folder in folders} - {""}
    modules = {path.stem for path in ROOT.glob("tf_mwn/*.py")} - {"__init__"}
    assert names | modules == set(ORDER)


def test_no_folder_is_a_warehouse():
    folders = {path.parent for path in python_files()}
    sizes = {folder: len(list(folder.glob("[!_]*.py"))) for folder in folders}
    assert max(sizes.values()) <= 20, max(sizes, key=sizes.get)


def test_no_file_is_a_drawer_for_everything():
    assert not [p for p in python_files() if p.stem in {"utils", "helpers", "common"}]


@pytest.mark.parametrize(
    "module",
    [
        "tf_mwn",
        "tf_mwn.launch.main",
        "tf_mwn.launch.audit",
        "tf_mwn.launch.benchmark",
        "tf_mwn.launch.evaluate",
        "tf_mwn.launch.predict",
        "tf_mwn.launch.reproduce",
        "tf_mwn.recipes.listing",
        "tf_mwn.methods.registry",
        "tf_mwn.files",
        "tf_mwn.runs.run",
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
        f"import sys; from tf_mwn.launch import {launcher}, command_line; "
        f"{launcher}.main(command_line.parse(['launch', '{flag}'])); "
        "print([m for m in sys.modules if m in ('tensorflow', 'keras')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *shown, loaded = done.stdout.splitlines()
    assert len(shown) > 3 and loaded == "[]"
