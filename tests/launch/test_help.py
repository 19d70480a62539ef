"""What --help shows, of every launcher and of every method; and the lists."""

import os
import subprocess
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from tests.integration.commands import ROOT, environment
from tf_mwn.checks import Interval
from tf_mwn.launch import help as flag_help
from tf_mwn.launch import main as launch_main
from tf_mwn.launch.command_line import parse
from tf_mwn.methods.registry import METHODS
from tf_mwn.recipes.experiment import RECIPES
from tf_mwn.recipes.published import TABLES
from tf_mwn.reproduction import claims_list
from tf_mwn.settings import config

TRAINING = ("main", "tune", "study", "reproduce")
LAUNCHERS = (*TRAINING, "benchmark", "audit", "evaluate", "predict")


def launch(name, *arguments, **options):
    """Runs a launcher to its end."""
    options = {"stdout": subprocess.PIPE, "env": environment(), **options}
    command = [sys.executable, "-m", f"launch.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)


def shown(name, *arguments):
    """What a launcher prints and that it does so without complaint, in 80 columns."""
    done = launch(name, *arguments, env={**environment(), "COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def in_process(capsys, *arguments):
    """The help of `launch.main`."""
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as stopped:
        parse(["tf_mwn.launch.main", *arguments])
    flags.FLAGS.unparse_flags()
    return stopped.value.code, capsys.readouterr()


def words(text):
    return " ".join(text.split())


def blocks(text):
    """The parts of a help page, by the first line of each."""
    parts = text.strip().split("\n\n")
    return {part.partition("\n")[0]: part for part in parts}


@pytest.mark.parametrize("name", LAUNCHERS)
def test_help_of_every_launcher(name):
    text = shown(name, "--help")
    parts = blocks(text)
    assert f"\n    python -m launch.{name}" in text
    assert "--helpfull shows all flags." in text and "--flagfile=FILE" in text
    assert ("--method=gce,sce --help" in text) == (name in (*TRAINING, "benchmark"))
    assert max(map(len, text.splitlines())) <= 80
    if name == "main":
        assert text.startswith(launch_main.__doc__.partition("\n")[0])
    groups = list(parts)
    if name in TRAINING:
        for title in ("Data (", "Bias of the data (", "Training (", "Execution (", "Folders"):
            assert [group for group in groups if group.startswith(title)], title
        assert ("What to run" in parts) == (name != "reproduce")
    if name != "main":
        assert f"Flags of launch.{name}" in parts


@pytest.mark.parametrize("name", LAUNCHERS)
def test_help_loads_neither_tensorflow_nor_keras(name):
    code = (
        f"import runpy, sys; sys.argv = ['', '--helpfull']; m = sys.modules\n"
        f"try:\n    runpy.run_module('launch.{name}', run_name='__main__', alter_sys=True)\n"
        "finally:\n    print([n for n in m if n in ('tensorflow', 'keras', 'keras_tuner')])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--verbosity" in done.stdout and done.stdout.splitlines()[-1] == "[]"


def test_groups_follow_the_place_of_an_option():
    text = shown("main", "--help")
    for title, options in {"Data": config.DATA, "Training": config.TRAINING}.items():
        (part,) = (p for head, p in blocks(text).items() if head.startswith(f"{title} ("))
        for option in options:
            assert f"{option.name}" in part and words(option.description) in words(part)
    assert text.count("a recipe may set other defaults") == 5
    assert "unless the recipe says otherwise" not in text
    assert "--gce_q" not in text and "  --workdir" in text


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_help_of_every_method(capsys, method):
    code, printed = in_process(capsys, f"--method={method.name}", "--help")
    text = words(printed.out)
    assert code == 0 and not printed.err
    assert f"{method.name}: {words(method.title)}" in text and words(method.paper) in text
    for option in method.own_options:
        assert option.name in text and words(option.description) in text, option.name
        assert words(flag_help.default_text(option.default)) in text
        if isinstance(option.range, Interval):
            assert f"In {option.range}." in text
    others = {name for m in METHODS.values() for name in m.reads} - set(method.reads)
    general = words(in_process(capsys, "--help")[1].out)
    assert not [name for name in others if f"--{name} " in text and f"--{name} " not in general]


def test_several_methods_show_a_shared_option_once(capsys):
    text = in_process(capsys, "--help", "--method=gce,truncated_gce")[1].out
    assert text.count("  --gce_q ") == 1 and "Options shown above: --gce_q" in text
    assert "truncated_gce: " in text and "--truncated_gce_k" in text


@pytest.mark.parametrize("name", LAUNCHERS)
def test_helpfull_shows_every_flag(name):
    text = shown(name, "--helpfull")
    for flag in ("--flagfile", "--[no]pdb", "--verbosity"):
        assert flag in text
    if name in TRAINING:
        for option in config.SETTINGS.values():
            assert words(option.description) in words(text), option.name
    if name in (*TRAINING, "benchmark"):
        assert all(f"\n{method.name}: " in text for method in METHODS.values())


@pytest.mark.parametrize("name", (*TRAINING, "benchmark"))
def test_an_unknown_method_is_one_line(name):
    done = launch(name, "--method=gcee", "--help")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: method: expected") and done.stderr.count("\n") == 1
    assert "did you mean 'gce'?" in done.stderr


def test_the_spellings_of_help(capsys):
    pages = {flag: in_process(capsys, flag) for flag in ("--help", "-?", "--helpshort")}
    assert len({printed.out for _, printed in pages.values()}) == 1
    assert in_process(capsys, "--help", "--method=list")[1].out == pages["--help"][1].out
    assert {code for code, _ in pages.values()} == {0}
    assert shown("main", "--helpxml").startswith("<?xml")


def test_help_of_a_flagfile(capsys, tmp_path):
    (tmp_path / "flags.txt").write_text("--method=gce\n--epochs=3\n")
    assert "\ngce: " in in_process(capsys, f"--flagfile={tmp_path}/flags.txt", "--help")[1].out


def test_text_is_as_wide_as_the_terminal():
    for columns in (60, 120):
        done = launch("main", "--help", env={**environment(), "COLUMNS": str(columns)})
        lines = done.stdout.splitlines()
        text = [line for line in lines if not line.startswith("    python")]
        assert columns - 15 < max(map(len, text)) <= columns


def test_default_text():
    assert flag_help.default_text(1 / 3) == " Default: 0.3333."
    assert flag_help.default_text(False) == " Default: false."
    assert flag_help.default_text((1, 2)) == " Default: 1,2."
    assert not any(map(flag_help.default_text, (None, "", [], ())))


LISTS = [(name, f"--{what}=list") for name in TRAINING[:3] for what in ("method", "recipe")]
LISTS += [("benchmark", "--method=list"), ("reproduce", "--table=list")]
LISTS += [("reproduce", "--claims=list")]


@pytest.mark.parametrize(("name", "argument"), LISTS)
def test_lists_hold_everything_there_is(name, argument):
    lines = shown(name, argument).splitlines()
    for line in _expected(argument):
        assert line in lines, line


def _expected(argument):
    """Lines of a list."""
    if argument == "--method=list":
        for method in METHODS.values():
            yield f"{method.name}: {method.title}"
            yield f"    paper    {method.paper}"
            if method.reads:
                yield "    options  " + " ".join(f"--{name}" for name in method.reads)
    elif argument == "--recipe=list":
        for recipe in RECIPES.values():
            yield f"{recipe.name}: {recipe.title}"
            yield f"    source    {recipe.source}"
            yield f"    expected  {recipe.expected}"
            yield f"    cost      {recipe.cost}"
            yield f"    methods   {', '.join(recipe.methods)}"
    elif argument == "--table=list":
        for name, table in TABLES.items():
            yield f"{name}: {table.title} ({table.source})"
    else:
        for claim in claims_list.claims().values():
            yield f"{claim.key}: {claim.statement}"


@pytest.mark.parametrize(("name", "argument"), [*LISTS, *((n, "--help") for n in LAUNCHERS)])
def test_a_reader_that_stops_ends_it_quietly(name, argument):
    """As `| head` does; the pipe is closed before the first byte, so that no buffer helps."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = launch(name, argument, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
