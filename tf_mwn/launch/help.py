"""The page of --help: the flags of a launcher in groups, and the options of the named methods.

The modules that define flags put them into groups by `group`. The page shows the key flags of a
launcher, which the launcher defines or adopts. A key flag without a group is shown with the methods
that read it, or if there are none, as a flag of the launcher.
"""

import math
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from absl import app, flags

from tf_mwn.checks import Interval

app.define_help_flags()  # defined before those below, which override some
flags.DEFINE_bool("help", False, "Show the flags in groups.", short_name="?", allow_override=True)
flags.DEFINE_bool("helpshort", False, "The same as --help.", allow_override=True)
flags.DEFINE_bool("helpfull", False, "Show every flag.", allow_override=True)

RECIPE_DEFAULTS = "a recipe may set other defaults"
_COLUMN = 26  # column in which the text of a flag begins
_groups: dict[str, list[str]] = {}
# What the user calls launchers, by the name of the module, where it is not `python -m launch.X`.
spelling: dict[str, str] = {}


def group(title: str, *members: flags.FlagHolder) -> None:
    """Adds flags to the group called `title`. The page shows groups in the order of first use.

    Args:
        title: the heading.
        members: the flags. A flag that is in the group already keeps its place.
    """
    names = _groups.setdefault(title, [])
    names += [flag.name for flag in members if flag.name not in names]


def wanted() -> bool:
    """Whether the command line asks for help."""
    return any(flags.FLAGS[name].value for name in ("help", "helpshort", "helpfull"))


def page(launcher: str) -> str:
    """The help text of a launcher.

    Args:
        launcher: `argv[0]`, the path of its file or the dotted name of its module.

    Raises:
        ValueError: --method names an unknown method.
    """
    module = sys.modules.get(launcher, sys.modules["__main__"])
    name = f"launch.{re.split(r'[/.]', launcher.removesuffix('.py'))[-1]}"
    full = flags.FLAGS["helpfull"].value
    keys = {flag.name: flag for flag in flags.FLAGS.get_key_flags_for_module(launcher)}
    blocks = [_introduction(module.__doc__ or "", keys)]
    general = _general(keys, name)
    blocks += [_block(_wrapped(title), members) for title, members in general.items()]
    shown = {flag.name for members in general.values() for flag in members}
    blocks += _methods(keys, shown, full)
    if full:
        others = {flag.name: flag for flag in map(flags.FLAGS.__getitem__, flags.FLAGS)}
        blocks.append(_block("Flags of absl", [f for n, f in others.items() if n not in keys]))
    return "\n\n".join(blocks)


def default_text(value: Any) -> str:
    """The sentence that states a default; empty if there is none."""
    if value is None or value == "" or value in ([], ()):
        return ""
    if isinstance(value, (list, tuple)):
        return f" Default: {','.join(map(str, value))}."
    if isinstance(value, bool):
        return f" Default: {str(value).lower()}."
    return f" Default: {value:.4g}." if isinstance(value, float) else f" Default: {value}."


def _introduction(doc: str, keys: Mapping[str, flags.Flag]) -> str:
    """The docstring of the launcher, whose indented lines are commands, and hints to more help."""
    paragraphs = [
        _spelled(paragraph) if paragraph.startswith(" ") else _wrapped(paragraph)
        for paragraph in doc.strip().split("\n\n")
    ]
    more = ["--helpfull shows all flags.", "--flagfile=FILE reads flags from a file, one per line."]
    if "method" in flags.FLAGS:
        more.insert(0, "--method=gce,sce --help also shows these methods and their options.")
    if "recipe" in keys:
        more[-1] += " flags.txt in the folder of a run repeats that run."
    return "\n\n".join([*paragraphs, "\n".join(map(_wrapped, more))])


def _general(keys: Mapping[str, flags.Flag], name: str) -> dict[str, list[flags.Flag]]:
    """The flags of the launcher by group, its own last, without the options of methods."""
    from tf_mwn.methods.registry import OPTIONS

    known = {title: [keys[n] for n in names if n in keys] for title, names in _groups.items()}
    grouped = {n for names in _groups.values() for n in names}
    own = [flag for n, flag in keys.items() if n not in grouped and n not in OPTIONS]
    known[f"Flags of {name}"] = own
    return {title: members for title, members in known.items() if members}


def _methods(keys: Mapping[str, flags.Flag], shown: set[str], full: bool) -> list[str]:
    """A block for each named method, with those of its options that are not shown above."""
    from tf_mwn.methods.registry import METHODS, find
    from tf_mwn.recipes import listing

    blocks = []
    for method in map(find, _names(METHODS, full)):
        options = [name for name in method.reads if name in keys]
        new = [keys[name] for name in options if name not in shown]
        before = [f"--{name}" for name in options if name in shown]
        shown |= set(options)
        title, *facts = listing.about(method)
        head = [_wrapped(title, hanging="    "), *(_wrapped(f, hanging=" " * 13) for f in facts)]
        lines = [_block("\n".join(head), new)]
        if before:
            lines.append(_wrapped(f"Options shown above: {', '.join(before)}", "  "))
        blocks.append("\n".join(lines))
    if blocks:
        heading = f"Methods and their options ({RECIPE_DEFAULTS})"
        cost = "A cost is in forward passes (F) of the classifier. Plain training takes 3F a step."
        blocks.insert(0, f"{heading}\n{_wrapped(cost)}")
    return blocks


def _names(known: Iterable[str], full: bool) -> list[str]:
    """The methods whose options are shown."""
    if "method" not in flags.FLAGS:
        return []
    method = flags.FLAGS["method"]
    given = list(dict.fromkeys(method.value)) if method.present and method.value else []
    if full or given == ["all"]:
        return list(known)
    return [] if given == ["list"] else given


def _block(heading: str, members: Iterable[flags.Flag]) -> str:
    return "\n".join([heading, *map(_entry, members)])


def _entry(flag: flags.Flag) -> str:
    """A flag and its text. After a long name the text begins on the next line."""
    name = f"  --{'[no]' if flag.boolean else ''}{flag.name}"
    if isinstance(flag.parser, flags.ListParser):
        name += "=A,B"
    text = _wrapped(_text(flag), " " * _COLUMN)
    fits = len(name) < _COLUMN - 1
    return name + text[len(name) :] if fits else f"{name}\n{text}"


def _text(flag: flags.Flag) -> str:
    """The help text with the range and the default that absl knows."""
    text = " ".join(flag.help.split())
    if isinstance(flag, flags.EnumFlag):
        text = f"{text.partition('>: ')[2]} One of: {', '.join(flag.parser.enum_values)}."
    low, high = (getattr(flag.parser, end, None) for end in ("lower_bound", "upper_bound"))
    if low is not None:
        text += f" In {Interval(low, math.inf if high is None else high)}."
    return text + default_text(flag.default)


def _wrapped(text: str, indent: str = "", hanging: str | None = None) -> str:
    """`text` in lines as wide as the terminal, or 80 columns where there is none."""
    # An interval is not broken.
    whole = re.sub(r"([\[(]\S+), (\S+[\])])", "\\1,\xa0\\2", _spelled(text))
    filled = textwrap.fill(
        whole,
        max(shutil.get_terminal_size().columns, _COLUMN + 20),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return filled.replace("\xa0", " ")


def _spelled(text: str) -> str:
    """`text` with the launchers called as the user called this one."""
    return re.sub(
        r"(?:python -m )?\blaunch\.(\w+)", lambda found: spelling.get(found[1], found[0]), text
    )
