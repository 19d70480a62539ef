"""The file of decisions: read as it was saved, or refused in one line."""

import numpy as np
import pytest

from tests.auditing.wrong_labels import X, Y, linear
from tf_mwn.auditing.audit import audit
from tf_mwn.auditing.decisions import read_decisions

NAMES = ('a, "b"', "c\nd", " é")


@pytest.fixture(scope="module")
def found():
    return audit(linear(), X, Y, sample_id=np.arange(300)[::-1] + 50, class_names=NAMES)


HEADER = "sample_id,path,label,decision,new_label\n"


def row(found, position, what, new=""):
    label = found.class_names[found.label[position]].replace('"', '""')
    return f'{found.sample_id[position]},,"{label}",{what},"{new}"\n'


def test_a_file_is_read(found, tmp_path):
    lines = [row(found, 5, "keep"), row(found, 0, "relabel", NAMES[2]), row(found, 9, "unsure")]
    (tmp_path / "d.csv").write_text(HEADER + "".join(lines), newline="")
    read = read_decisions(tmp_path / "d.csv", found)
    assert read.position.tolist() == [5, 0, 9] and read.what.tolist() == [
        "keep",
        "relabel",
        "unsure",
    ]
    assert read.new_label.tolist() == [found.label[5], 2, found.label[9]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: "7,,x,keep,\n", "sample_id 7, which is none of its 300 examples"),
        (lambda f: f"{f.sample_id[0]},,owl,keep,\n", "the label 'owl' for sample_id 349"),
        (lambda f: row(f, 0, "move"), "the decision 'move', none of keep, relabel"),
        (lambda f: row(f, 0, "relabel"), "the new label '' with the decision relabel"),
        (lambda f: row(f, 0, "relabel", "owl"), "the new label 'owl'"),
        (lambda f: row(f, 0, "keep", NAMES[1]), "with the decision keep"),
        (lambda f: 2 * row(f, 0, "keep"), "a second decision about sample_id 349 .*row 2"),
        (lambda f: "7,,x\n", "expected 5 fields in line 2"),
    ],
)
def test_files_that_do_not_fit(found, tmp_path, make, message):
    (tmp_path / "d.csv").write_text(HEADER + make(found), newline="")
    with pytest.raises(ValueError, match=message):
        read_decisions(tmp_path / "d.csv", found)


def test_a_file_of_something_else(found, tmp_path):
    (tmp_path / "d.csv").write_text("path,label\n")
    with pytest.raises(ValueError, match="decisions: expected the columns .* called sample_id"):
        read_decisions(tmp_path / "d.csv", found)
