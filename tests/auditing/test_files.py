"""The files of an audit."""

import csv
import json

import numpy as np
import pytest

import tf_mwn
from tests.auditing.wrong_labels import WRONG, X, Y, linear


def test_files(tmp_path):
    ids = np.arange(300) + 1000
    audit = tf_mwn.audit(linear(), X, Y, sample_id=ids, class_names=["a", "b", "c"])
    written = audit.write(tmp_path / "deep" / "audit")
    assert [path.name for path in written] == ["suspects.csv", "audit.json", "audit.html"]
    rows = list(csv.DictReader(written[0].open()))
    assert list(rows[0]) == (
        ["sample_id", "label", "predicted", "suggested", "loss", "weight", "trust", "clean_label"]
        + ["label_name", "predicted_name", "suggested_name", "path", "part"]
    )
    assert all(row["label_name"] == "abc"[int(row["label"])] for row in rows)
    assert sorted(int(row["sample_id"]) for row in rows) == ids.tolist()
    trust = [float(row["trust"]) for row in rows]
    assert trust == sorted(trust) and trust[0] < 0.5 < trust[-1]
    first = int(rows[0]["sample_id"]) - 1000
    assert WRONG[first] and int(rows[0]["label"]) == Y[first]
    assert rows[0]["weight"] == rows[0]["clean_label"] == ""
    report = json.loads(written[1].read_text())
    assert report["suspects"] == len(audit.suspects) == WRONG.sum()
    assert report["class_names"] == ["a", "b", "c"] and report["rankings"] == {}


@pytest.mark.filterwarnings("error:.*Glyph")
def test_images_get_a_contact_sheet(tmp_path):
    """Whatever their classes are called: the font lacks some characters."""
    images = X.reshape(300, 5, 1, 1)
    found = tf_mwn.audit(linear((5, 1, 1)), images, Y, class_names=["日", "月", "é"])
    assert found.write(tmp_path, images=5)[-1].read_bytes().startswith(b"\x89PNG")
    assert len(found.write(tmp_path, images=0)) == 3
