"""The method that docs/adding_a_method.md adds from outside: listed, trained and searched."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from tests.integration.commands import ROOT, environment

PAGE = (ROOT / "docs/adding_a_method.md").read_text()
# The files of the package that the page writes, by path.
FILES = dict(re.findall(r"^`huber_weighting/(\w+\.py)`:\n\n```\w+\n(.*?)^```", PAGE, re.M | re.S))
POINT = tomllib.loads(re.search(r"^```toml\n(.*?)^```", PAGE, re.M | re.S).group(1))["project"][
    "entry-points"
]["tf_mwn.methods"]["huber_weighting"]
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n"


def install(folder, name, files, point):
    """A package as an installer leaves it, in a folder that will be on the path."""
    (folder / name).mkdir()
    for file, text in files.items():
        (folder / name / file).write_text(text)
    metadata = folder / f"{name}-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA.format(name=name))
    (metadata / "entry_points.txt").write_text(f"[tf_mwn.methods]\n{name} = {point}\n")


@pytest.fixture
def package(tmp_path):
    install(tmp_path, "huber_weighting", FILES, POINT)
    return tmp_path


def run(folder, *words):
    """Python with the packages in `folder` installed."""
    path = {"PYTHONPATH": f"{ROOT}:{folder}"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment(), **path},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_is_listed_without_tensorflow(package):
    code = (
        "import sys; from tf_mwn.launch import command_line, main; "
        "main.main(command_line.parse(['launch', '--method=list'])); "
        "print([m for m in ('tensorflow', 'keras', 'huber_weighting.model') if m in sys.modules])"
    )
    done = run(package, "-c", code)
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "[]" and done.stderr == ""
    at = lines.index("huber_weighting: weights min(1, c/l)")
    assert lines[at + 2 : at + 4] == [
        "    cost     3F a step",
        "    options  --huber_c --huber_shape",
    ]


def test_trains_from_the_command_line(package):
    options = (
        "--method=huber_weighting",
        "--huber_c=2",
        "--huber_shape=pruned",
        "--network=mlp",
        "--epochs=2",
    )
    done = run(package, "-m", "launch.main", *options, "--workdir=runs")
    assert done.returncode == 0, done.stderr
    (results,) = (package / "runs").glob("*/huber_weighting/seed0/results.json")
    assert json.loads(results.read_text())["last_epoch_accuracy"] > 0.1
    settings = json.loads((results.parent / "config.json").read_text())
    assert '"huber_c": 2.0' in json.dumps(settings) and '"huber_shape": "pruned"' in json.dumps(
        settings
    )


def test_a_wrong_value_is_one_line(package):
    done = run(package, "-m", "launch.main", "--method=huber_weighting", "--huber_c=-1")
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(r"error: huber_c: expected .* received -1.0\n", done.stderr), done.stderr


def test_its_grid_is_searched(package):
    code = (
        "from tf_mwn.search.sweep_plan import SweepPlan; "
        "plan = SweepPlan.make('quickstart', {}, ['huber_weighting'], (0,)); "
        "print([(domain.name, domain.values) for domain in plan.space])"
    )
    done = run(package, "-c", code)
    assert done.stdout.strip() == "[('huber_c', (0.5, 1.0, 2.0))]", done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named"),
        (
            "METHODS = ['bad']",
            r"TypeError: bad_method\.specs:METHODS: expected a tuple of Method, ",
        ),
        (
            FILES["specs.py"].replace('"huber_weighting"', '"glc"'),
            "ValueError: method glc: expected one of this name, received two",
        ),
        (
            FILES["specs.py"].replace("huber_c", "gce_q"),
            "ValueError: option gce_q: expected one, received two that differ",
        ),
    ],
    ids=["import", "type", "method", "option"],
)
def test_a_package_that_cannot_be_used_is_one_sentence_and_left_out(tmp_path, text, message):
    install(tmp_path, "bad_method", {"specs.py": text}, "bad_method.specs:METHODS")
    done = run(tmp_path, "-m", "launch.main", "--method=list")
    assert done.returncode == 0 and "cross_entropy: plain training" in done.stdout
    assert re.fullmatch(
        f"package bad_method: its methods are left out; {message}.*\n", done.stderr
    ), done.stderr
