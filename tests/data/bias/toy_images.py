"""A balanced source of small images, and data prepared from it."""

import numpy as np

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data


def toy_source(per_class=60, num_classes=4, **options):
    y = np.arange(per_class * num_classes) % num_classes
    x = np.random.default_rng(0).normal(size=(len(y), 3, 3, 1)).astype(np.float32)
    return build_source(RawSource("toy", x, y, x_test=x[:8], y_test=y[:8], **options))


def prepared(source=None, seed=0, **settings):
    settings = {"meta_size": 8, **settings}
    return biased_data.prepare(source or toy_source(), biased_data.BiasSettings(**settings), seed)
