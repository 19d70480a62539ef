"""A source of rows that tell their own number, and data prepared from it."""

import dataclasses

import numpy as np

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data


def rows_source(per_class=40, num_classes=4, **changes):
    y = np.arange(per_class * num_classes) % num_classes
    x = np.arange(len(y) * 2.0).reshape(-1, 2)
    raw = RawSource("toy", x, y, x_test=x[:8] + 0.5, y_test=y[:8])
    return build_source(dataclasses.replace(raw, **changes))


def prepared_rows(source=None, seed=0, **settings):
    settings = {"meta_size": 8, **settings}
    return biased_data.prepare(source or rows_source(), biased_data.BiasSettings(**settings), seed)
