"""The pages lead to each other, and to files that are there."""

import importlib.util
import pathlib
import re

import pytest

from tf_mwn.methods import registry
from tf_mwn.settings.config import Config

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
OTHERS = [ROOT / name for name in ("CHANGELOG.md", "SECURITY.md", "examples/README.md")]
OTHERS += ROOT.glob("docs/**/*.ipynb")

# What an error message says of the user's own data, and so in other words each time.
DIFFERS = r"\.\.\.|\{.*?\}|\b(?:x|y|loss|nan|softmax)\b"


def targets(page):
    """Files that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    return {(page.parent / target).resolve() for target in found if "://" not in target}


@pytest.mark.parametrize("page", PAGES + OTHERS, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert not [target for target in targets(page) if not target.exists()]
    links = re.findall(r"\]\(([^)#\s]*\.md)?#([^)\s]+)\)", page.read_text())
    lost = [(path, name) for path, name in links if name not in anchors(of(page, path))]
    assert not lost


def of(page, path):
    """The page that a link on `page` names; itself if it names none."""
    return page.parent / path if path else page


def anchors(page):
    """The anchors of a page's headings, as a code host and the site make them."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", ROOT.glob("docs/results/*.md"), ids=lambda page: page.name)
def test_results_say_which_version_made_them(page):
    assert re.search(r"version \d+\.\d+\.\d+", page.read_text())


def test_the_site_has_every_page():
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    pages |= {f"notebooks/{path.stem}.md" for path in ROOT.glob("docs/**/*.ipynb")}
    assert pages <= set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))


def test_error_texts_among_the_questions_are_what_the_code_says():
    """Quoted at the beginning of a paragraph; "..." and values stand for what differs."""
    page = (ROOT / "docs/faq.md").read_text()
    keys = re.findall(r'^\*\*"(.*?)"', page, flags=re.M | re.S)
    sources = "".join(path.read_text() for path in (ROOT / "tf_mwn").rglob("*.py"))
    # Adjacent string literals are one text, and names in braces are filled in.
    code = re.sub(r'"\s*f?"', "", " ".join(sources.split()))
    code = re.sub(r"\{(what|x_name|name|activation)\}", "", code)
    assert len(keys) > 8
    for key in keys:
        for part in re.split(DIFFERS, " ".join(key.split())):
            assert part.strip() in code, key


def test_the_index_leads_to_every_page():
    index = ROOT / "docs/index.md"
    assert {page.resolve() for page in PAGES} - {index.resolve()} <= targets(index)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_modules_that_a_page_names_exist(page):
    text = page.read_text()
    paths = re.findall(r"`((?:tf_mwn|tests|launch|examples)/[\w./-]*)`", text)
    assert not [path for path in paths if not (ROOT / path).exists()]
    names = set(re.findall(r"(?<![\w/.])(?:tf_mwn|launch)(?:\.[A-Za-z_]\w*)+", text))
    assert not [name for name in names - {registry.ENTRY_POINTS} if not is_there(name)]


def is_there(name):
    """Whether a dotted name is a module, or an attribute of one; launchers are not imported."""
    module, rest = name, []
    while not has_spec(module):
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    found = importlib.import_module(module) if rest else module
    for part in rest:
        found = getattr(found, part, None)
    return found is not None


def has_spec(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


DEFAULTS = vars(Config())
# What a method may need of the user, by fact.
FACTS = {"noise_rate": "noise rate", "transition_matrix": "noise matrix"}


def method_rows():
    """The methods, the text of their needs and that of their cost, of each row of the README."""
    table = (ROOT / "README.md").read_text().split("| methods | needs | a step | page |\n")[1]
    for line in table.split("\n\n")[0].splitlines()[1:]:
        names, needs, cost, page = line.strip("| ").split(" | ")
        methods = re.findall(r"`(\w+)`", names)
        if names.endswith(" and others"):  # those of the page's own table
            first = re.findall(
                r"^\| (`.*?) \|", (ROOT / page[page.index("docs") : -1]).read_text(), re.M
            )
            methods += sorted(set(re.findall(r"`(\w+)`", " ".join(first))) - set(methods))
        yield [registry.METHODS[name] for name in methods], needs, cost


def test_the_readme_has_every_method_once():
    named = [method.name for methods, _, _ in method_rows() for method in methods]
    own = {m.name for m in registry.METHODS.values() if m.builder.startswith("tf_mwn.")}
    assert sorted(named) == sorted(own - {"cross_entropy"})


def test_the_readme_states_the_costs_of_the_specs():
    for methods, _, cost in method_rows():
        phases = [phase for method in methods for phase in method.every_phase(DEFAULTS)]
        passes = [phase.passes for phase in phases]
        ends = sorted(passes, key=lambda p: p.training + p.meta)
        assert cost == " to ".join(dict.fromkeys(map(str, (ends[0], ends[-1])))), methods


def test_the_readme_states_the_needs_of_the_specs():
    for methods, needs, _ in method_rows():
        assert needs == needs_of(methods), methods


def needs_of(methods):
    """ "meta set for `glc`": what the user has to give, and for which of the methods."""
    who = {"meta set": [m.name for m in methods if m.needs_meta_set(DEFAULTS)]}
    for fact, need in FACTS.items():
        who[need] = [m.name for m in methods if fact in m.needed_facts(DEFAULTS)]
    alike = {}
    for need, names in who.items():
        if names:
            alike.setdefault(tuple(names), []).append(need)
    parts = []
    for names, found in alike.items():
        some = "" if len(names) == len(methods) else f" for {', '.join(f'`{n}`' for n in names)}"
        parts.append(" and ".join(found) + some)
    return "; ".join(parts) or "nothing"
