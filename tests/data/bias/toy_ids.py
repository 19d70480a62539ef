"""A source of which files of labels and of noise read only the ids and the names."""

import numpy as np

from tf_mwn.data.subset import Source


def ids_source(ids, names=("0", "1", "2"), test=(11,), num_rows=None):
    x, y = np.zeros((len(ids), 1)), np.zeros(len(ids), int)
    return Source(
        *("toy", x, y, None, np.asarray(ids), x[:1], y[:1], np.asarray(test), tuple(names)),
        *(None, None, True),
        num_rows=num_rows,
    )
