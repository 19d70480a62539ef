"""The pages lead to each other, and to files that are there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


def targets(page):
    """Files that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    return {(page.parent / target).resolve() for target in found if "://" not in target}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert not [target for target in targets(page) if not target.exists()]


def test_the_index_leads_to_every_page():
    index = ROOT / "docs/index.md"
    assert {page.resolve() for page in PAGES} - {index.resolve()} <= targets(index)
