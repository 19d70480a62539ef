"""Cases of a benchmark that are measured at once."""

from tf_mwn.benchmark import plan
from tf_mwn.benchmark.plan import Images

TINY = Images(size=8, num_classes=3)


VALUES = {**plan.DEFAULTS, "network": ("mlp",), "batch_size": (6,)}


def settings(**changed):
    return {**{name: values[0] for name, values in VALUES.items()}, **changed}
