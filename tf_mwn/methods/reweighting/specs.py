"""Rows: Sample weights learned on meta data."""

from tf_mwn.methods.spec.method import ENGINE_OPTIONS, MethodRow

_CMW = (
    "weight_net_units",
    "cmw_clusters",
    "cmw_meta_set",
    "cmw_meta_per_class",
    "cmw_warmup",
    "cmw_ema",
    "meta_batch_size",
    *ENGINE_OPTIONS,
)
_CMW_FACTS = ("class_counts", "epochs", "seed")
_CMW_PAPER = "Shu et al., TPAMI 2023, https://arxiv.org/abs/2202.05613"
_META_OPTIMIZER = ("meta_optimizer", "meta_learning_rate", "meta_weight_decay")

REWEIGHTING: tuple[MethodRow, ...] = (
    MethodRow(
        name="l2rw",
        title="weights by the agreement of an example's gradient with the meta set's",
        paper="Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        builder="tf_mwn.methods.reweighting.l2rw:L2RW",
        needs_meta_set=True,
        options=("virtual_variables",),
        facts=("num_sample_ids",),
        stream_options=("meta_batch_size",),
    ),
    MethodRow(
        name="cmw_net",
        title="sample weights V(loss, class size), learned without a clean set",
        paper=_CMW_PAPER,
        builder="tf_mwn.methods.reweighting.cmw_net:CMWNet",
        options=("weight_normalization", *_CMW),
        facts=_CMW_FACTS,
        compile_options=_META_OPTIMIZER,
        optional_meta_set=("cmw_meta_set", "given"),
    ),
    MethodRow(
        name="cmw_net_sl",
        title="CMW-Net with soft labels of an averaged classifier, and mixup",
        paper=_CMW_PAPER,
        builder="tf_mwn.methods.reweighting.cmw_net_sl:CMWNetSL",
        options=("cmw_mixup", *_CMW),
        facts=_CMW_FACTS,
        compile_options=_META_OPTIMIZER,
        optional_meta_set=("cmw_meta_set", "given"),
    ),
)
