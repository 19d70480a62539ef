"""Sample weights learned on meta data: L2RW, and CMW-Net, which chooses its own meta set."""

from tf_mwn.checks import AT_LEAST_ONE, BELOW_ONE, NON_NEGATIVE
from tf_mwn.engine.options import ENGINE, META_START, VIRTUAL_VARIABLES
from tf_mwn.methods.meta_weight_net.specs import WEIGHT_NET_UNITS, WEIGHT_NORMALIZATION
from tf_mwn.methods.spec.costs import meta_training
from tf_mwn.methods.spec.method import Method, Passes, Phase, Settings, always
from tf_mwn.options import Option
from tf_mwn.training.options import META_BATCH_SIZE, OPTIMIZER_OF_THETA

CMW_CLUSTERS = Option(
    "cmw_clusters",
    3,
    AT_LEAST_ONE,
    "Number of groups of classes of similar size. Each group has its own head of the weight net.",
)
CMW_META_SET = Option(
    "cmw_meta_set",
    "low_loss",
    ("low_loss", "balanced", "given"),
    "Meta set of CMW-Net. low_loss (examples of low loss) and balanced (equally many per class) "
    "choose it from the training set before every epoch. given takes the clean meta set.",
)
CMW_META_PER_CLASS = Option(
    "cmw_meta_per_class",
    None,
    AT_LEAST_ONE,
    "Number of examples per class in a meta set that CMW-Net chooses. By default 10 for low_loss, "
    "and the size of the smallest class for balanced.",
    kind=int,
)
CMW_WARMUP = Option(
    "cmw_warmup",
    0.1,
    BELOW_ONE,
    "Fraction of the epochs that CMW-Net trains with plain cross-entropy first.",
)
CMW_EMA = Option(
    "cmw_ema",
    0.997,
    BELOW_ONE,
    "Momentum of CMW-Net's moving average of the classifier, which finds low losses.",
)
CMW_MIXUP = Option(
    "cmw_mixup",
    4.0,
    NON_NEGATIVE,
    "Parameter a of the distribution Beta(a, a) of mixup. 0 mixes nothing.",
)


def _cmw_phases(settings: Settings, more: float = 0.0) -> tuple[Phase, ...]:
    return meta_training(settings, CMW_WARMUP.name, more)


# Its warm-up is its late start.
_ENGINE = tuple(option for option in ENGINE if option is not META_START)
_CMW = dict(
    paper="Shu et al., TPAMI 2023, https://arxiv.org/abs/2202.05613",
    facts=("class_counts", "epochs", "seed"),
    meta_optimizer=OPTIMIZER_OF_THETA,
    takes_meta_set=lambda settings: settings[CMW_META_SET.name] == "given",
    gives_weights=True,
)
_CHOSEN = {CMW_META_PER_CLASS.name: (CMW_META_SET, ("low_loss", "balanced"))}
_CMW_OPTIONS = (
    WEIGHT_NET_UNITS,
    CMW_CLUSTERS,
    CMW_META_SET,
    CMW_META_PER_CLASS,
    CMW_WARMUP,
    CMW_EMA,
    META_BATCH_SIZE,
    *_ENGINE,
)

METHODS = (
    Method(
        name="l2rw",
        title="weights by the agreement of an example's gradient with the meta set's",
        paper="Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        builder="tf_mwn.methods.reweighting.l2rw:L2RW",
        sees="losses",
        options=(VIRTUAL_VARIABLES,),
        facts=("num_sample_ids",),
        stream=(META_BATCH_SIZE,),
        takes_meta_set=always,
        # The meta gradient is taken at w, so there is no virtual gradient.
        phases=lambda settings: (Phase("training", settings["epochs"], Passes(5, 3)),),
        gives_weights=True,
    ),
    Method(
        name="cmw_net",
        title="sample weights V(loss, class size), learned without a clean set",
        builder="tf_mwn.methods.reweighting.cmw_net:CMWNet",
        sees="labels",
        options=(WEIGHT_NORMALIZATION, *_CMW_OPTIONS),
        effective={**_CHOSEN, CMW_EMA.name: (CMW_META_SET, ("low_loss",))},
        phases=_cmw_phases,
        **_CMW,
    ),
    Method(
        name="cmw_net_sl",
        title="CMW-Net with soft labels of an averaged classifier, and mixup",
        builder="tf_mwn.methods.reweighting.cmw_net_sl:CMWNetSL",
        options=(CMW_MIXUP, *_CMW_OPTIONS),
        effective=_CHOSEN,
        # The averaged classifier predicts the soft labels.
        phases=lambda settings: _cmw_phases(settings, more=1),
        **_CMW,
    ),
)
