"""The pages lead to each other, and to files that are there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


# What an error message says of the user's own data, and so in other words each time.
DIFFERS = r"\.\.\.|\{.*?\}|\b(?:x|y|loss|nan|softmax)\b"


def targets(page):
    """Files that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    return {(page.parent / target).resolve() for target in found if "://" not in target}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert not [target for target in targets(page) if not target.exists()]


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
