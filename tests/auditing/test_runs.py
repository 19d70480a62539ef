"""The audit of a run on data without a test part of their own."""

import os

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, load_path, save_folder
from tf_mwn.auditing.runs import _with_test_part
from tf_mwn.data.splits.biased_data import BiasSettings, prepare


@pytest.mark.parametrize("stream", ["off", "on"])
def test_what_was_held_out_stands_behind_the_rest_with_its_names(tmp_path, stream):
    order = save_folder(tmp_path, IMAGES)
    data = prepare(load_path(tmp_path, stream=stream), BiasSettings(meta_size=0), 0)
    both, held_out = _with_test_part(data)
    assert len(both) == 30 and held_out.tolist() == [False] * 24 + [True] * 6
    np.testing.assert_array_equal(np.asarray(both.x), IMAGES[order][both.sample_id])
    np.testing.assert_array_equal(both.sample_id[held_out], data.test.sample_id)
    classes = [os.fsdecode(path).split("/")[0] for path in both.path]
    assert classes == [data.card["class_names"][label] for label in both.label]
    assert both.clean_label is None
