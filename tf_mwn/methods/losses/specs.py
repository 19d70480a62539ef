"""Robust losses: fixed, replayed or learned on the meta set."""

from tf_mwn.checks import AT_LEAST_ONE, BELOW_ONE, NEGATIVE, NON_NEGATIVE, POSITIVE, UNIT
from tf_mwn.engine.options import ENGINE
from tf_mwn.losses import admissible
from tf_mwn.methods.rules.specs import AGE_GRID, HISTORY
from tf_mwn.methods.spec.costs import meta_training
from tf_mwn.methods.spec.method import Method, always
from tf_mwn.options import Option
from tf_mwn.training.options import (
    LOGIT_ADJUSTMENT,
    META_BATCH_SIZE,
    OPTIMIZER_OF_THETA,
)

GCE_Q = Option(
    "gce_q",
    0.7,
    admissible.GCE_Q,
    "Exponent q of the generalised cross-entropy (GCE).",
    grid=(0.1, 0.3, 0.5, 0.7, 0.9),
)
TRUNCATED_GCE_K = Option(
    "truncated_gce_k",
    0.5,
    admissible.TRUNCATION,
    "Truncated GCE prunes the examples whose probability of the given label is below this k.",
)
TRUNCATED_GCE_START = Option(
    "truncated_gce_start", 1 / 3, UNIT, "Fraction of the epochs before truncated GCE prunes."
)
TRUNCATED_GCE_EPOCHS = Option(
    "truncated_gce_epochs",
    10,
    AT_LEAST_ONE,
    "Number of epochs between two prunings of truncated GCE.",
)
SCE_ALPHA = Option(
    "sce_alpha",
    0.1,
    NON_NEGATIVE,
    "Weight α of the cross-entropy in the symmetric cross-entropy (SCE).",
    grid=(0.1, 1.0, 6.0),
)
SCE_BETA = Option(
    "sce_beta",
    1.0,
    NON_NEGATIVE,
    "Weight β of the reverse cross-entropy in the symmetric cross-entropy (SCE).",
    grid=(0.1, 1.0),
)
SCE_A = Option(
    "sce_a",
    admissible.LOG_ZERO,
    NEGATIVE,
    "Value A that stands for ln 0 in the symmetric cross-entropy (SCE).",
)
BI_TEMPERED_T1 = Option(
    "bi_tempered_t1",
    0.8,
    admissible.TEMPERATURE_1,
    "Temperature t1 of the bi-tempered logarithm.",
    grid=(0.5, 0.7, 0.8, 0.9),
)
BI_TEMPERED_T2 = Option(
    "bi_tempered_t2",
    1.2,
    NON_NEGATIVE,
    "Temperature t2 of the bi-tempered softmax. It is at least t1.",
    grid=(1.1, 1.2, 1.5, 2.0),
)
POLY_SOFT_LAMBDA = Option(
    "poly_soft_lambda",
    5.0,
    POSITIVE,
    "Age λ of PolySoft: the loss from which an example no longer counts.",
    grid=AGE_GRID,
)
POLY_SOFT_D = Option(
    "poly_soft_d", 2.0, admissible.POLY_SOFT_D, "Parameter d of PolySoft.", grid=(1.5, 2.0, 3.0)
)
TRAJECTORY = Option(
    "trajectory",
    None,
    None,
    "File metrics.csv of a run that has learned the hyper-parameters of this loss. The "
    "fixed loss follows them.",
    kind=str,
    names_file=True,
)
FOCAL_GAMMA = Option(
    "focal_gamma", 2.0, NON_NEGATIVE, "Exponent γ of the focal loss.", grid=(0.5, 1.0, 2.0)
)
FOCAL_DETACH = Option(
    "focal_detach",
    False,
    None,
    "Hold the modulating factor of the focal loss constant in the gradient.",
)
CLASS_BALANCED_BETA = Option(
    "class_balanced_beta",
    0.9999,
    admissible.CLASS_BALANCED_BETA,
    "β of the effective number of examples per class.",
    grid=(0.9, 0.99, 0.999, 0.9999),
)
LDAM_MAX_MARGIN = Option(
    "ldam_max_margin", 0.5, NON_NEGATIVE, "Margin of the rarest class in LDAM, in logits."
)
LDAM_SCALE = Option(
    "ldam_scale",
    1.0,
    POSITIVE,
    "Scale of the logits in LDAM. It is 30 with a normalised last layer.",
)
LDAM_DEFER = Option(
    "ldam_defer", 0.8, UNIT, "Fraction of the epochs before LDAM re-weights the classes."
)
ELR_BETA = Option(
    "elr_beta",
    0.7,
    BELOW_ONE,
    "Share β of the past in the running targets of early-learning regularisation (ELR). The paper "
    "uses 0.7, or 0.9 for asymmetric noise and for CIFAR-100.",
    grid=(0.5, 0.7, 0.9),
)
ELR_LAMBDA = Option(
    "elr_lambda",
    3.0,
    NON_NEGATIVE,
    "Weight λ of early-learning regularisation (ELR). The paper uses 3, or 1 for asymmetric noise "
    "and 7 for CIFAR-100.",
    grid=(1.0, 3.0, 7.0),
)
REED_SOFT_BETA = Option(
    "reed_soft_beta", 0.95, UNIT, "Share of the given label in the targets of soft bootstrapping."
)
REED_HARD_BETA = Option(
    "reed_hard_beta", 0.8, UNIT, "Share of the given label in the targets of hard bootstrapping."
)

_SHU = "Shu et al., 2020, https://arxiv.org/abs/2002.06482"
_ZHANG = "Zhang and Sabuncu, NeurIPS 2018, https://arxiv.org/abs/1805.07836"
_LIN = "Lin et al., ICCV 2017, https://arxiv.org/abs/1708.02002"
_MENON = "Menon et al., ICLR 2021, https://arxiv.org/abs/2007.07314"
_REED = "Reed et al., ICLR 2015 workshop, https://arxiv.org/abs/1412.6596"
_SCE = (SCE_ALPHA, SCE_BETA, SCE_A)
_BI_TEMPERED = (BI_TEMPERED_T1, BI_TEMPERED_T2)
_POLY_SOFT = (POLY_SOFT_LAMBDA, POLY_SOFT_D)


def _adaptive(name: str, title: str, *options: Option, facts: tuple[str, ...] = ()) -> Method:
    return Method(
        name=name,
        title=title,
        paper=_SHU,
        builder=f"tf_mwn.methods.losses.adaptive_losses:{name}",
        options=(*options, *ENGINE),
        facts=("epochs", *facts),
        meta_optimizer=(*OPTIMIZER_OF_THETA, META_BATCH_SIZE),
        takes_meta_set=always,
        phases=meta_training,
        sees="classes",
    )


def _fixed(name: str, title: str, paper: str, *options: Option, **others) -> Method:
    builder = f"tf_mwn.methods.losses.robust_losses:{name}"
    others = {"sees": "classes", **others}
    return Method(name=name, title=title, paper=paper, builder=builder, options=options, **others)


def _replayable(name: str, title: str, paper: str, *options: Option) -> Method:
    """A loss that can also follow the hyper-parameters that its adaptive form has learned."""
    return _fixed(name, title, paper, *options, TRAJECTORY, facts=("steps_per_epoch",))


ADAPTIVE = (
    _adaptive("adaptive_gce", "generalised cross-entropy with a learned q", GCE_Q),
    _adaptive("adaptive_sce", "symmetric cross-entropy with learned α and β", *_SCE),
    _adaptive("adaptive_bi_tempered", "bi-tempered loss with learned temperatures", *_BI_TEMPERED),
    _adaptive(
        "adaptive_poly_soft", "PolySoft with learned λ and d", *_POLY_SOFT, facts=("num_classes",)
    ),
)
FIXED = (
    _replayable("gce", "generalised cross-entropy (1 - p^q)/q", _ZHANG, GCE_Q),
    _fixed(
        "truncated_gce",
        "generalised cross-entropy of the examples with p >= k",
        _ZHANG,
        GCE_Q,
        TRUNCATED_GCE_K,
        TRUNCATED_GCE_START,
        TRUNCATED_GCE_EPOCHS,
        facts=(*HISTORY, "epochs"),
        gives_weights=True,
    ),
    _replayable(
        "sce",
        "symmetric cross-entropy α CE + β RCE",
        "Wang et al., ICCV 2019, https://arxiv.org/abs/1908.06112",
        *_SCE,
    ),
    _fixed(
        "mae",
        "mean absolute error 2 - 2p",
        "Ghosh et al., AAAI 2017, https://arxiv.org/abs/1712.09482",
    ),
    _replayable(
        "bi_tempered",
        "bi-tempered logistic loss",
        "Amid et al., NeurIPS 2019, https://arxiv.org/abs/1906.03361",
        *_BI_TEMPERED,
    ),
    _replayable(
        "poly_soft",
        "the loss behind polynomial soft weighting",
        "Gong et al., IEEE TEVC 2019",
        *_POLY_SOFT,
    ),
    _fixed("focal", "focal loss -(1 - p)^γ ln p", _LIN, FOCAL_GAMMA, FOCAL_DETACH),
    _fixed(
        "class_balanced",
        "classes weighted by their inverse effective number of examples",
        "Cui et al., CVPR 2019, https://arxiv.org/abs/1901.05555",
        CLASS_BALANCED_BETA,
        facts=("class_counts",),
        gives_weights=True,
    ),
    Method(
        name="logit_adjusted",
        title="cross-entropy of logits that are corrected by the class shares",
        paper=_MENON,
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
        sees="losses",
        defaults={LOGIT_ADJUSTMENT.name: 1.0},
    ),
    Method(
        name="posthoc_logit_adjustment",
        title="plain training; predictions are corrected by the class shares",
        paper=_MENON,
        builder="tf_mwn.methods.losses.posthoc_adjustment:PosthocAdjustment",
        sees="losses",
        facts=("class_counts", "target_shares"),
        shared=(LOGIT_ADJUSTMENT.name,),
        defaults={LOGIT_ADJUSTMENT.name: 1.0},
        remakes_classifier=True,
    ),
    _fixed(
        "ldam_drw",
        "class-dependent margins, and class-balanced weights towards the end",
        "Cao et al., NeurIPS 2019, https://arxiv.org/abs/1906.07413",
        CLASS_BALANCED_BETA,
        LDAM_MAX_MARGIN,
        LDAM_SCALE,
        LDAM_DEFER,
        facts=("class_counts", "steps_per_epoch", "epochs"),
        gives_weights=True,
    ),
    _fixed(
        "elr",
        "early-learning regularisation: predictions stay near their running average",
        "Liu et al., NeurIPS 2020, https://arxiv.org/abs/2007.00151",
        ELR_BETA,
        ELR_LAMBDA,
        facts=("num_sample_ids", "num_classes"),
        sees="examples",
    ),
    _fixed("reed_soft", "targets mixed with the prediction", _REED, REED_SOFT_BETA),
    _fixed("reed_hard", "targets mixed with the predicted class", _REED, REED_HARD_BETA),
    _fixed(
        "forward_correction",
        "predictions passed through the known transition matrix",
        "Patrini et al., CVPR 2017, https://arxiv.org/abs/1609.03683",
        facts=("transition_matrix",),
    ),
)
