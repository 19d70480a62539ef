"""What `mkdocs.yml` leaves to Python: pages of files outside docs, and the API reference."""

import os
import pkgutil
import posixpath
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import griffe
import nbformat
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parent
# Pages of the site by their files in the repository, where these are not as below docs.
MOVED = {
    "README.md": "index.md",
    "docs/index.md": "pages.md",
    **{name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")},
    "LICENSE": "LICENSE.md",
    "CITATION.cff": "CITATION.md",
    "examples/README.md": "examples/README.md",
    **{
        f"examples/{path.name}": f"examples/{path.stem}.md"
        for path in sorted(ROOT.glob("examples/*.py"))
    },
}
NOTEBOOKS = [path.stem for path in sorted(ROOT.glob("docs/notebooks/*.ipynb"))]
MOVED |= {f"docs/notebooks/{name}.ipynb": f"notebooks/{name}.md" for name in NOTEBOOKS}
SOURCES = {page: source for source, page in MOVED.items()}
# The API pages. A page has the public names of the folders of tf_mwn that it lists, and the
# modules and other names that it lists.
REFERENCE = {
    "Meta-Weight-Net": ["methods.meta_weight_net"],
    "Re-weighting": ["methods.reweighting"],
    "MentorNet": ["methods.mentornet"],
    "Corrected labels": ["methods.correction"],
    "Learned losses": ["methods.losses", "methods.losses.adaptive_losses"],
    "Teachers": ["methods.teachers"],
    "Hyper-parameters": ["methods.hyper_parameters"],
    "Training": ["data.streams", "training", "engine"],
    "Estimators": ["estimators"],
    "Audit and health": ["auditing", "auditing.result.Audit", "auditing.reliability.Reliability"]
    + ["monitoring", "monitoring.health.Checkup"],
    "Losses": ["losses.generalized", "losses.symmetric", "losses.bi_tempered", "losses.poly_soft"]
    + ["losses.focal", "losses.class_counts", "losses.bootstrapping", "losses.label_correction"]
    + ["losses.low_dose_ct"],
    "Networks": ["networks.build"],
    "Methods of your own": ["methods.spec.method.Method", "options.Option"],
}
# Its base classes are parts of it without a page of their own.
WITH_INHERITED = "tf_mwn.RobustModel"
# Public names, and the folder of each.
PUBLIC = {
    name: folder
    for folder, name in re.findall(
        r"^from tf_mwn\.(\S+)\.\w+ import \(?\s*(\w+)",
        (ROOT / "tf_mwn/__init__.pyi").read_text(),
        re.M,
    )
}


def names_of(title: str) -> list[str]:
    """The objects of an API page, as `mkdocstrings` finds them."""
    names = []
    for part in REFERENCE[title]:
        public = [name for name, folder in PUBLIC.items() if folder == part]
        names += [f"tf_mwn.{name}" for name in public or [part]]
    return names


def on_config(config: Any) -> Any:
    """Adds the API pages and the examples to the navigation."""
    missing = set(PUBLIC) - {name[len("tf_mwn.") :] for t in REFERENCE for name in names_of(t)}
    if missing:
        raise ValueError(f"REFERENCE: expected a page for every public name, lacks {missing}")
    section(config, "Reference").append({"API": [{title: page_of(title)} for title in REFERENCE]})
    scripts = [{Path(source).name: page} for source, page in MOVED.items() if ".py" in source]
    section(config, "Tutorials").append({"Scripts": scripts})
    return config


def section(config: Any, title: str) -> list[Any]:
    return next(entry[title] for entry in config.nav if title in entry)


def page_of(title: str) -> str:
    return f"reference/{title.lower().replace(' ', '_')}.md"


def on_files(files: Files, config: Any) -> Files:
    """Adds the files outside docs, and the API pages."""
    files.remove(files.get_file_from_path("index.md"))
    for source, page in MOVED.items():
        text, images = shown(ROOT / source)
        files.append(File.generated(config, page, content=text))
        for name, content in images.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    for title in REFERENCE:
        text = "\n\n".join([f"# {title}", *(shown_object(name) for name in names_of(title))])
        files.append(File.generated(config, page_of(title), content=text))
    return files


def shown_object(name: str) -> str:
    """The lines that stand for an object's docstrings on an API page."""
    inherits = "\n    options: {inherited_members: true}" if name == WITH_INHERITED else ""
    return f"::: {name}{inherits}"


def shown(path: Path) -> tuple[str, dict[str, bytes]]:
    """The text of a file's page, and its figures. A file of code is shown as it is."""
    text = path.read_text()
    if path.suffix == ".ipynb":
        return executed(path)
    if path.suffix == ".md":
        return text, {}
    language = {".py": "python", ".cff": "yaml"}.get(path.suffix, "text")
    return f"# {path.name}\n\n````{language}\n{text}````\n", {}


def executed(path: Path) -> tuple[str, dict[str, bytes]]:
    """The notebook with what its cells print and draw. Notebooks are stored without."""
    notebook = nbformat.read(path, as_version=4)
    if os.environ.get("NOTEBOOKS") != "0":
        options = {"timeout": 600, "coalesce_streams": True}
        client = NotebookClient(notebook, resources={"metadata": {"path": str(ROOT)}}, **options)
        client.execute(stderr=subprocess.DEVNULL)
    for cell in notebook.cells:
        if cell.cell_type == "code":  # TensorFlow's messages are of no use here
            cell.outputs = [part for part in cell.outputs if part.get("name") != "stderr"]
    names = {"output_files_dir": f"{path.stem}_files"}
    text, resources = MarkdownExporter().from_notebook_node(notebook, names)
    title, rest = text.lstrip().split("\n", 1)
    link = f'<a href="{path.name}" download>Download this notebook.</a>'
    return f"{title}\n\n{link}\n{rest}", resources["outputs"]


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links between files of the repository become links between pages, names links to the API."""
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")

    def moved(match: re.Match[str]) -> str:
        if "://" in match[1]:
            return match[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[1]))
        there = MOVED.get(there, there.removeprefix("docs/"))
        return f"]({posixpath.relpath(there, posixpath.dirname(here) or '.')}{match[2] or ''})"

    def linked(text: str) -> str:
        text = re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", moved, text)
        return re.sub(r"`tf_mwn\.([\w.]+)`(?!\])", lambda m: reference(m[0], m[1]), text)

    if here == "reference.md":
        markdown += "".join(f"\n## {title}\n\n{contents(title)}\n" for title in REFERENCE)
    return outside_code(linked, markdown)


def contents(title: str) -> str:
    return " · ".join(f"`{name}`" for name in names_of(title))


def outside_code(change: Callable[[str], str], text: str) -> str:
    """`text`, changed outside blocks of code."""
    parts = re.split(r"(^ *```.*?^ *```)", text, flags=re.M | re.S)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))


def reference(code: str, name: str) -> str:
    """`code` in backticks, as a link to the API entry of `name` if there is one."""
    text = code.strip("`")
    return f'<autoref optional identifier="tf_mwn.{name}"><code>{text}</code></autoref>'


class Names(griffe.Extension):
    """Names in docstrings become links, and a default that a constant names its value."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = outside_code(
                lambda text: re.sub(
                    r"`(?:tf_mwn\.)?(\w+)((?:\.\w+)?)`", lambda found: linked(found, obj), text
                ),
                obj.docstring.value,
            )

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        for parameter in func.parameters:
            path = getattr(parameter.default, "canonical_path", "")
            if re.match(r"tf_mwn\..*(specs|options)\.[A-Z]", path):
                parameter.default = repr(pkgutil.resolve_name(path))


def linked(found: re.Match[str], scope: griffe.Object) -> str:
    """A public name, or one that `scope` knows, as a link; anything else as it is."""
    name, attribute = found.groups()
    if name not in PUBLIC:
        try:
            name = scope.resolve(name).removeprefix("tf_mwn.")
        except griffe.NameResolutionError:
            return found[0]
    return reference(found[0], name + attribute)
