"""Means of each class, by hand."""

import numpy as np

from tf_mwn.label_noise.class_means import class_means


def test_class_means_by_hand():
    classes = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    values = np.array([[0.5, 0.5, 0], [0.1, 0.1, 0.8], [0, 1, 0]])
    expected = [[0.3, 0.3, 0.4], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(class_means(classes, values), expected)
