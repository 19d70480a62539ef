"""The page of an audit: what its HTML holds, and what it does in a browser."""

import csv
import dataclasses
import html.parser
import io
import json

import numpy as np
import pytest

import tf_mwn
from tests.auditing.browser import answer_of, needs_browser
from tests.auditing.wrong_labels import WRONG, X, Y, linear
from tf_mwn.auditing import thumbnails
from tf_mwn.auditing.decisions import read_decisions

# Every character that HTML, JSON, CSV or a template could take for its own.
NAMES = ('</script><script>alert(1)</script>, "a"', "it's <b>&amp; {{data}}\n", "日本 \u2028é")
PATHS = np.array([f'fo,o/"{i}" <img src=x>.png' for i in range(300)], object)


@pytest.fixture(scope="module")
def found():
    images = (X.reshape(300, 5, 1, 1) + 20) / 40
    model = linear((5, 1, 1))
    audit = tf_mwn.audit(model, X.reshape(300, 5, 1, 1), Y, class_names=NAMES)
    return dataclasses.replace(audit, x=images, path=PATHS)


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    found.write(folder, images=0, title=f"Audit of {NAMES[0]}")
    return folder / "audit.html"


class Parsed(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the text in each kind of element."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, text):
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(text)


def data_of(parsed):
    return json.loads(next(text for text in parsed.texts["script"] if text.startswith("{")))


def test_no_text_of_the_data_is_html(page, found):
    parsed = Parsed(page.read_text())
    tags = [tag for tag, _ in parsed.elements]
    assert tags.count("script") == 2 and "b" not in tags
    assert tags.count("img") == 1  # the one of the selected example
    assert parsed.texts["h1"] == [f"Audit of {NAMES[0]}"]
    data = data_of(parsed)
    assert data["classes"] == list(NAMES) and data["path"] == PATHS[found.order].tolist()
    assert data["suspects"] == len(found.suspects) == WRONG.sum()
    assert data["id"] == found.sample_id[found.order].astype(str).tolist()
    assert data["trust"] == sorted(data["trust"])
    assert len(data["image"]) == 300
    assert all(uri.startswith("data:image/png;base64,") for uri in data["image"])


def test_nothing_is_loaded(page):
    text = page.read_text()
    assert "http:" not in text and "https:" not in text and "url(" not in text
    for tag, attributes in Parsed(text).elements:
        assert tag != "link" and not {"src", "href"} & set(attributes), tag


def test_every_control_has_a_name(page):
    elements = Parsed(page.read_text()).elements
    for at, (tag, attributes) in enumerate(elements):
        if tag in ("select", "input"):
            assert any(before == "label" for before, _ in elements[at - 2 : at]), attributes
    roles = {attributes.get("role") for _, attributes in elements}
    assert {"listbox", "status", "group"} <= roles


def test_reliability_is_what_it_says_first(found, page):
    parsed = Parsed(page.read_text())
    assert parsed.texts["p"][0].startswith("it is unknown how many suspects are wrong")
    assert parsed.texts["p"][1].startswith(f"{WRONG.sum()} of 300 labels are suspect")


def test_limits_are_stated(found, tmp_path, monkeypatch):
    monkeypatch.setattr("tf_mwn.auditing.page.MOST_EXAMPLES", 50)
    monkeypatch.setattr(thumbnails, "MOST_IMAGES", 20)
    found.write(tmp_path, images=0)
    parsed = Parsed((tmp_path / "audit.html").read_text())
    assert "The list holds the 50 most suspect of 300 examples" in parsed.texts["p"][2]
    assert "The 20 most suspect have a picture" in parsed.texts["p"][2]
    data = data_of(parsed)
    assert (len(data["id"]), len(data["image"]), data["suspects"]) == (50, 20, 50)


def test_rows_of_a_table_and_tokens_are_text(found, tmp_path):
    tokens = np.zeros((300, 40), int)
    tokens[:, :30] = 7
    counts = np.tile([5, 3, 0, 0], (300, 1))
    counts[0] = 0, 1, 0, 2  # so that zeros are no padding
    for x, start in (
        (np.full((300, 2), 0.25), "0.25 0.25"),
        (counts, "5 3 0 0"),
        (tokens.astype(np.float32), "7 7 7"),
    ):
        dataclasses.replace(found, x=x).write(tmp_path)
        data = data_of(Parsed((tmp_path / "audit.html").read_text()))
        assert data["image"] == [] and data["text"][0].startswith(start)
    assert data["text"][0].endswith("7 … and 6 more")  # without the padding


def test_a_weak_classifier_suggests_nothing(found, tmp_path):
    dataclasses.replace(found, suggested=None).write(tmp_path, images=0)
    assert data_of(Parsed((tmp_path / "audit.html").read_text()))["suggested"] is None


REVIEW = """
  const first = view.slice(0, 5);
  key("k", "d", "u");
  choose("new", String([0, 1, 2].find(k => k !== data.label[view[3]])));
  key("r");
  key("n", "p", "ArrowDown", "ArrowUp", "l");
  const focused = document.activeElement.id;
  choose("new", "");
  key("Enter");  // no label is chosen
  const refused = [document.getElementById("said").textContent, document.activeElement.id];
  key("Escape");
  const here = document.getElementById("list").getAttribute("aria-activedescendant");
  const spoken = document.getElementById("row-0").getAttribute("aria-label");
  document.getElementById("shortcuts").checked = false;
  key("k");
  document.getElementById("shortcuts").checked = true;
  return {first, focused, refused, here, spoken, place: current, csv: decisionsCsv(),
    counts: document.getElementById("counts").textContent,
    drawn: document.querySelectorAll(".row").length};
"""


@needs_browser
def test_keys_decide_and_the_browser_keeps_it(page, found, tmp_path):
    answer = answer_of(page, REVIEW, tmp_path)
    assert answer["first"] == [0, 1, 2, 3, 4] and answer["place"] == 4
    assert answer["focused"] == answer["refused"][1] == "new" and answer["here"] == "row-4"
    assert answer["refused"][0].startswith("Choose a new label")
    assert answer["drawn"] < 40  # of 60 suspects: those on the screen
    assert "4 decided: keep 1, relabel 1, drop 1, unsure 1" in answer["counts"]
    rows = list(csv.DictReader(io.StringIO(answer["csv"], newline="")))
    assert [row["decision"] for row in rows] == ["keep", "drop", "unsure", "relabel"]
    for row, example in zip(rows, found.order, strict=False):
        assert int(row["sample_id"]) == found.sample_id[example]
        assert row["path"] == PATHS[example] and row["label"] == NAMES[found.label[example]]
    assert [bool(row["new_label"]) for row in rows] == [False, False, False, True]
    assert rows[3]["new_label"] in NAMES and rows[3]["new_label"] != rows[3]["label"]
    assert (
        answer["spoken"].startswith(PATHS[found.order[0]]) and "decision keep" in answer["spoken"]
    )
    assert answer_of(page, "return decisionsCsv();", tmp_path) == answer["csv"]
    (tmp_path / "decisions.csv").write_text(answer["csv"], "utf-8", newline="")
    read = read_decisions(tmp_path / "decisions.csv", found)
    np.testing.assert_array_equal(read.position, found.order[:4])
    assert read.what.tolist() == ["keep", "drop", "unsure", "relabel"]
    assert NAMES[read.new_label[3]] == rows[3]["new_label"]


LOAD = """
  const text = %s;
  take(text);
  const first = [decisionsCsv(), document.getElementById("said").textContent];
  take("sample_id,label,decision\\n1,2,keep\\n");
  return [...first, document.getElementById("said").textContent];
"""


@needs_browser
def test_a_file_of_decisions_is_loaded(page, found, tmp_path):
    answer = answer_of(page, REVIEW, tmp_path / "one")["csv"]
    strays = 'no such id,,0,keep,\n5,,"another, label",drop,\n'
    text = json.dumps("\ufeff" + answer.replace("\n", "\r\n") + strays)
    again = answer_of(page, LOAD % text.replace("<", "\\u003c"), tmp_path / "two")
    assert again[0] == answer and again[1].startswith("4 of 6 decisions are loaded")
    assert again[2].startswith("This is not a decisions.csv file")


FILTERS = """
  const counts = {}, whole = view.length;
  for (const option of document.getElementById("confusion").options) {
    choose("confusion", option.value);
    counts[option.value] = [view.length, new Set(view.map(confusionOf)).size];
  }
  choose("confusion", "");
  choose("class", "1");
  const ofClass = [view.length, new Set(view.map(e => data.label[e])).size];
  choose("suspects", "");
  document.getElementById("suspects").checked = false;
  choose("class", "");
  choose("order", "trusted");
  key("End", "k");
  choose("state", "decided");
  return {counts, whole, ofClass, decided: view, alone: data.id.length};
"""


@needs_browser
def test_filters_and_order(page, found, tmp_path):
    answer = answer_of(page, FILTERS, tmp_path)
    suspects = found.suspects
    label, other = found.label[suspects], found.suggested[suspects]
    pairs = [f"{one} {two}" for one, two in zip(label, other, strict=True)]
    expected = {pair: [pairs.count(pair), 1] for pair in pairs}
    assert answer["counts"] == {"": [60, len(expected)], **expected}
    assert answer["ofClass"] == [int((label == 1).sum()), 1]
    assert answer["decided"] == [0]  # the most suspect stands last


MANY = """
  choose("order", "trusted");
  key("End");
  const drawn = document.querySelectorAll(".row").length;
  return {drawn, place: current, shown: document.getElementById("row-" + current) !== null};
"""


@needs_browser
def test_fifty_thousand_suspects(found, tmp_path):
    """The list draws what is on the screen; the last row is reached and drawn."""
    rows = np.arange(50_000) % 300
    many = dataclasses.replace(
        found,
        x=np.zeros((50_000, 1, 1)),
        path=np.array([f"a/{i}.jpg" for i in range(50_000)], object),
        sample_id=np.arange(50_000),
        log_odds=-1 - np.arange(50_000) / 1e6,
        **{name: getattr(found, name)[rows] for name in ("label", "predicted", "suggested")},
        **{name: getattr(found, name)[rows] for name in ("loss", "probabilities")},
    )
    many.write(tmp_path)
    answer = answer_of(tmp_path / "audit.html", MANY, tmp_path / "profile")
    assert answer["place"] == 49_999 and answer["shown"] and answer["drawn"] < 40
