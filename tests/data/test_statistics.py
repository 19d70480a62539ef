"""Statistics of the inputs, and the fingerprint of data."""

import dataclasses

import numpy as np

from tests.data.splits.toy_rows import prepared_rows, rows_source
from tf_mwn.data.statistics import fingerprint, mean_and_std


def test_statistics_of_training_inputs_agree_with_numpy():
    data = prepared_rows()
    np.testing.assert_allclose(data.mean, data.train.x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(data.std, data.train.x.std(axis=0), rtol=1e-6)
    images = np.random.default_rng(0).integers(0, 256, (9000, 2, 3, 2)).astype(np.uint8)
    images[..., 1] = 7
    mean, std = mean_and_std(images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, [images[..., 0].std(), 1.0], rtol=1e-6)
    # The mean of equal numbers may differ from them in its last digit.
    constant = np.full((12345, 3), [0.1, 1e-20, 0.0])
    assert mean_and_std(constant)[1].tolist() == [1.0, 1.0, 1.0]
    assert (
        mean_and_std(constant * [1, 1, 0] + np.arange(12345)[:, None] % 2 * [0, 1e-9, 0])[1][1] < 1
    )


def test_published_statistics_win():
    source = dataclasses.replace(rows_source(), mean=np.array([1.0, 2.0]), std=np.array([3.0, 4.0]))
    assert prepared_rows(source).mean.tolist() == [1.0, 2.0]


def test_fingerprint_sees_values_types_and_absence():
    array = np.arange(4)
    others = [[array + 1], [array.astype(np.int32)], [array.reshape(2, 2)], [None], [array, None]]
    prints = {fingerprint(arrays) for arrays in [[array], *others]}
    assert len(prints) == 6 and fingerprint([array]) == fingerprint([array.copy()])
