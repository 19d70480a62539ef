"""Image files as an array, and their fingerprint."""

import numpy as np
import tensorflow as tf

from tf_mwn.data.sources import loading


def test_image_files_act_as_an_array(both):
    memory, files = (data.train.x for data in both)
    assert len(files) == len(memory) and files.ndim == 4 and files.dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(files[3:5]), memory[3:5])
    np.testing.assert_array_equal(np.asarray(files[[7, 1]], np.float32), memory[[7, 1]])
    np.testing.assert_array_equal(np.asarray(files[2])[0], memory[2])
    np.testing.assert_array_equal(tf.constant(files[:3]), memory[:3])


def test_fingerprint_depends_on_files_and_not_on_their_place(folder, tmp_path, both, monkeypatch):
    import shutil

    shutil.copytree(folder, tmp_path / "elsewhere")
    again = loading.load(str(tmp_path / "elsewhere"), stream="on")
    first = loading.load(str(folder), stream="on")
    np.testing.assert_array_equal(again.x.key, first.x.key)
    assert len(np.unique(first.x.key)) == len(first.x)
