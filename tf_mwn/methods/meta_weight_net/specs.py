"""Meta-Weight-Net, and plain training as its baseline."""

from tf_mwn.checks import AT_LEAST_ONE, FRACTION
from tf_mwn.engine.options import ENGINE, META_FRACTION, META_INTERVAL
from tf_mwn.methods.spec.costs import meta_training
from tf_mwn.methods.spec.method import Method, Phase, Settings, always, plain_training
from tf_mwn.options import Option
from tf_mwn.training.options import (
    FINE_TUNED_EPOCHS,
    FINE_TUNING_EPOCHS,
    LOGIT_ADJUSTMENT,
    META_BATCH_SIZE,
    OPTIMIZER_OF_THETA,
)

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
    "How weights enter the training loss. none takes the mean of weight times loss. sum divides by "
    "the sum of the weights. sum_detached does so with a sum that is constant in the gradient.",
)
DETACH_LOSS = Option(
    "detach_loss",
    True,
    None,
    "Treat the input of the weight net as a constant in the virtual gradient.",
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
# The parts of `robust`, the same for all data.
ROBUST_LOGIT_ADJUSTMENT, ROBUST_FINE_TUNING_EPOCHS = 1.0, FINE_TUNED_EPOCHS
ROBUST_META_LEARNING_RATE, ROBUST_META_DECAY = 3e-3, 1e-3
ROBUST_META_FRACTION = Option(
    "robust_meta_fraction",
    0.25,
    FRACTION,
    "Part of the batch from which robust updates its weight net, 1/k.",
)
ROBUST_META_INTERVAL = Option(
    "robust_meta_interval",
    3,  # with a quarter of the batch, a step costs 1.22 of a plain one by arithmetic
    AT_LEAST_ONE,
    "Number of steps per update of the weight net of robust.",
)
ROBUST_TESTS_WEIGHTS = Option(
    "robust_tests_weights",
    True,
    None,
    "Test the weight net of robust before each epoch. It weighs examples only if its low weights "
    "find wrong labels that are planted among clean examples.",
)


def _learns(settings: Settings) -> bool:
    return settings[WEIGHT_NET.name] is None


def _phases(settings: Settings) -> tuple[Phase, ...]:
    return (meta_training if _learns(settings) else plain_training)(settings)


def _robust_phases(settings: Settings) -> tuple[Phase, ...]:
    names = {ROBUST_META_FRACTION: META_FRACTION, ROBUST_META_INTERVAL: META_INTERVAL}
    defaults = {option.name: option.default for option in ENGINE}
    own = {of.name: settings[option.name] for option, of in names.items()}
    return meta_training({**settings, **defaults, **own})


METHODS = (
    Method(
        name="cross_entropy",
        title="plain training on the given labels",
        paper="the baseline",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
        sees="losses",
    ),
    Method(
        name="meta_weight_net",
        title="sample weights V(loss), learned on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="tf_mwn.methods.meta_weight_net.meta_weight_net:MetaWeightNet",
        sees="losses",
        options=(WEIGHT_NET_UNITS, WEIGHT_NORMALIZATION, DETACH_LOSS, *ENGINE),
        facts=("epochs",),
        meta_optimizer=(*OPTIMIZER_OF_THETA, META_BATCH_SIZE),
        takes_meta_set=_learns,
        phases=_phases,
        gives_weights=True,
        file=WEIGHT_NET,
        file_builder="tf_mwn.methods.meta_weight_net.meta_weight_net:frozen_weight_net",
    ),
    Method(
        name="robust",
        title="Meta-Weight-Net on prior-corrected logits, and a last phase on the meta set",
        paper="this project; composed of Shu et al., NeurIPS 2019, and Menon et al., ICLR 2021",
        builder="tf_mwn.methods.meta_weight_net.robust:robust",
        sees="losses",
        options=(ROBUST_META_FRACTION, ROBUST_META_INTERVAL, ROBUST_TESTS_WEIGHTS),
        defaults={
            LOGIT_ADJUSTMENT.name: ROBUST_LOGIT_ADJUSTMENT,
            FINE_TUNING_EPOCHS.name: ROBUST_FINE_TUNING_EPOCHS,
        },
        stream=(META_BATCH_SIZE,),
        takes_meta_set=always,
        phases=_robust_phases,
        gives_weights=True,
    ),
)
