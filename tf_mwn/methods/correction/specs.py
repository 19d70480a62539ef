"""Estimated label noise and corrected labels."""

from tf_mwn.checks import AT_LEAST_ONE, BELOW_ONE, OPEN_UNIT, UNIT, Interval
from tf_mwn.methods.losses.specs import SCE_ALPHA, SCE_BETA
from tf_mwn.methods.spec.method import (
    UNSET,
    Method,
    Passes,
    Phase,
    Settings,
    always,
    plain_training,
)
from tf_mwn.options import Option
from tf_mwn.training.options import META_BATCH_SIZE

GLC_ESTIMATE = Option(
    "glc_estimate",
    "soft",
    ("soft", "confusion"),
    "How GLC estimates the transition matrix: from mean probabilities (soft), or from counts of "
    "predicted classes (confusion).",
)
S_MODEL_PRETRAINING = Option(
    "s_model_pretraining",
    0.1,
    UNIT,
    "Fraction of the epochs that the S-Model trains without its noise channel.",
)
S_MODEL_NOISE_RATE = Option(
    "s_model_noise_rate",
    None,
    OPEN_UNIT,
    "Noise rate from which the S-Model's channel starts. By default it starts from counts after "
    "pretraining.",
    kind=float,
)
D2L_START = Option(
    "d2l_start", 1 / 3, BELOW_ONE, "Fraction of the epochs before D2L's window begins."
)
D2L_WINDOW = Option("d2l_window", 5, AT_LEAST_ONE, "Number of epochs in D2L's window.")
D2L_NEIGHBOURS = Option(
    "d2l_neighbours",
    20,
    Interval(2),
    "Number of neighbours in D2L's estimate of the dimensionality.",
)
D2L_FIRST_LOSS = Option(
    "d2l_first_loss",
    "cross_entropy",
    ("cross_entropy", "sce"),
    "D2L's loss up to the turning point.",
)


def glc_lengths(epochs: int) -> dict[str, int]:
    """Epochs of the two trainings of GLC."""
    return {"plain_epochs": epochs, "corrected_epochs": epochs}


def s_model_lengths(epochs: int, pretraining: float) -> dict[str, int]:
    """Epochs of the S-Model's two phases, at least one epoch each."""
    plain = max(1, min(round(pretraining * epochs), epochs - 1))
    return {"plain_epochs": plain, "channel_epochs": max(1, epochs - plain)}


def _glc_phases(settings: Settings) -> tuple[Phase, ...]:
    # A corrected step takes the training and the meta batch in one pass.
    costs = {"plain_epochs": Passes(), "corrected_epochs": Passes(3, 3)}
    lengths = glc_lengths(settings["epochs"])
    return tuple(Phase(name, epochs, costs[name]) for name, epochs in lengths.items())


def _s_model_phases(settings: Settings) -> tuple[Phase, ...]:
    if settings[S_MODEL_NOISE_RATE.name] is not None:
        return plain_training(settings)
    lengths = s_model_lengths(settings["epochs"], settings[S_MODEL_PRETRAINING.name])
    return tuple(Phase(name, epochs) for name, epochs in lengths.items())


def _s_model(name: str, title: str, builder: str) -> Method:
    return Method(
        name=name,
        title=title,
        paper="Goldberger and Ben-Reuven, ICLR 2017, https://openreview.net/forum?id=H12GRgcxg",
        builder=f"tf_mwn.methods.correction.s_model:{builder}",
        options=(S_MODEL_PRETRAINING, S_MODEL_NOISE_RATE),
        effective={S_MODEL_PRETRAINING.name: (S_MODEL_NOISE_RATE, UNSET)},
        facts=("num_classes", "epochs"),
        phases=_s_model_phases,
    )


METHODS = (
    Method(
        name="glc",
        title="a transition matrix estimated on the meta set, in a second training",
        paper="Hendrycks et al., NeurIPS 2018, https://arxiv.org/abs/1802.05300",
        builder="tf_mwn.methods.correction.glc:GoldLossCorrection",
        options=(GLC_ESTIMATE,),
        facts=("num_classes", "epochs"),
        stream=(META_BATCH_SIZE,),
        takes_meta_set=always,
        trains_on_meta_set=True,
        phases=_glc_phases,
    ),
    _s_model("s_model", "a transition matrix learned with the classifier", "SModel"),
    _s_model(
        "s_model_complex",
        "a transition matrix that depends on the features, learned with the classifier",
        "ComplexSModel",
    ),
    Method(
        name="d2l",
        title="targets mixed with the predicted class once the features gain dimensions",
        paper="Ma et al., ICML 2018, https://arxiv.org/abs/1806.02612",
        builder="tf_mwn.methods.correction.d2l:D2L",
        options=(D2L_START, D2L_WINDOW, D2L_NEIGHBOURS, D2L_FIRST_LOSS, SCE_ALPHA, SCE_BETA),
        effective={o.name: (D2L_FIRST_LOSS, ("sce",)) for o in (SCE_ALPHA, SCE_BETA)},
        facts=("epochs",),
    ),
)
