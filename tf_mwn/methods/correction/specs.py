"""Rows: Estimated label noise and corrected labels."""

from tf_mwn.methods.spec.method import MethodRow

# How GLC makes its matrix of the clean examples' predictions.
GLC_ESTIMATES = ("soft", "confusion")
# What D2L minimises up to its turning point.
D2L_FIRST_LOSSES = ("cross_entropy", "sce")

_S_MODEL = "Goldberger and Ben-Reuven, ICLR 2017, https://openreview.net/forum?id=H12GRgcxg"


def _s_model(name: str, title: str, builder: str) -> MethodRow:
    options = ("s_model_pretraining", "s_model_noise_rate")
    return MethodRow(
        name, title, _S_MODEL, builder, options=options, facts=("num_classes", "epochs")
    )


CORRECTION: tuple[MethodRow, ...] = (
    MethodRow(
        name="glc",
        title="a transition matrix estimated on the meta set, in a second training",
        paper="Hendrycks et al., NeurIPS 2018, https://arxiv.org/abs/1802.05300",
        builder="tf_mwn.methods.correction.glc:GoldLossCorrection",
        needs_meta_set=True,
        options=("glc_estimate",),
        facts=("num_classes", "epochs"),
        stream_options=("meta_batch_size",),
    ),
    _s_model(
        "s_model",
        "a transition matrix learned with the classifier",
        "tf_mwn.methods.correction.s_model:SModel",
    ),
    _s_model(
        "s_model_complex",
        "a transition matrix that depends on the features, learned with the classifier",
        "tf_mwn.methods.correction.s_model:ComplexSModel",
    ),
    MethodRow(
        name="d2l",
        title="targets mixed with the predicted class once the features gain dimensions",
        paper="Ma et al., ICML 2018, https://arxiv.org/abs/1806.02612",
        builder="tf_mwn.methods.correction.d2l:D2L",
        options=(
            "d2l_start",
            "d2l_window",
            "d2l_neighbours",
            "d2l_first_loss",
            "sce_alpha",
            "sce_beta",
        ),
        facts=("epochs",),
    ),
)
