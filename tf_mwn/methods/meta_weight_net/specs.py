"""Meta-Weight-Net, and plain training as its baseline."""

from tf_mwn.checks import AT_LEAST_ONE
from tf_mwn.engine.options import ENGINE
from tf_mwn.methods.spec.costs import meta_training
from tf_mwn.methods.spec.method import Method, Phase, Settings, plain_training
from tf_mwn.options import Option
from tf_mwn.training.options import META_BATCH_SIZE, OPTIMIZER_OF_THETA

WEIGHT_NET_UNITS = Option(
    "weight_net_units",
    (100,),
    AT_LEAST_ONE,
    "Sizes of the hidden layers of the weight net, separated by commas.",
)
WEIGHT_NORMALIZATION = Option(
    "weight_normalization",
    "none",
    ("none", "sum", "sum_detached"),
    "How weights enter the training loss. none takes the mean of weight times loss, sum divides by "
    "the sum of the weights, sum_detached holds that sum constant in the gradient.",
)
DETACH_LOSS = Option(
    "detach_loss", True, None, "Hold the input of the weight net constant in the gradient."
)
WEIGHT_NET = Option(
    "weight_net",
    None,
    None,
    "File of a weight net that was learned before, on any data: weight_net.json of a run. It stays "
    "fixed, so training needs no meta set and no meta step, and costs the same as plain training.",
    kind=str,
    names_file=True,
)


def _learns(settings: Settings) -> bool:
    return settings[WEIGHT_NET.name] is None


def _phases(settings: Settings) -> tuple[Phase, ...]:
    return (meta_training if _learns(settings) else plain_training)(settings)


METHODS = (
    Method(
        name="cross_entropy",
        title="plain training on the given labels",
        paper="the baseline",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
    ),
    Method(
        name="meta_weight_net",
        title="sample weights V(loss), learned on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="tf_mwn.methods.meta_weight_net.meta_weight_net:MetaWeightNet",
        options=(WEIGHT_NET_UNITS, WEIGHT_NORMALIZATION, DETACH_LOSS, *ENGINE),
        facts=("epochs",),
        meta_optimizer=(*OPTIMIZER_OF_THETA, META_BATCH_SIZE),
        takes_meta_set=_learns,
        phases=_phases,
        gives_weights=True,
        file=WEIGHT_NET,
        file_builder="tf_mwn.methods.meta_weight_net.meta_weight_net:frozen_weight_net",
    ),
)
