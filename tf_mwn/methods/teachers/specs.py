"""Rows: the clean set alone, two networks, a Gaussian-process teacher."""

from tf_mwn.methods.spec.method import MethodRow

BASELINES: tuple[MethodRow, ...] = (
    MethodRow(
        name="clean_only",
        title="plain training on the meta set alone",
        paper="Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        builder="tf_mwn.methods.teachers.clean_set:CleanOnly",
        needs_meta_set=True,
        stream_options=("meta_batch_size",),
    ),
    MethodRow(
        name="fine_tuning",
        title="plain training, then a few epochs on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="tf_mwn.methods.teachers.clean_set:FineTuning",
        needs_meta_set=True,
        options=("fine_tuning_epochs",),
        facts=("epochs",),
        stream_options=("meta_batch_size",),
    ),
    MethodRow(
        name="co_teaching",
        title="two networks; each learns the examples of small loss that the other picks",
        paper="Han et al., NeurIPS 2018, https://arxiv.org/abs/1804.06872",
        builder="tf_mwn.methods.teachers.co_teaching:CoTeaching",
        options=(
            "co_teaching_forget_rate",
            "co_teaching_gradual_epochs",
            "co_teaching_exponent",
        ),
        facts=("num_sample_ids", "steps_per_epoch", "noise_rate"),
        fact_options=(("co_teaching_forget_rate", "noise_rate"),),
    ),
    MethodRow(
        name="fwl",
        title="fidelity-weighted: labels and weights of a Gaussian process on the meta set",
        paper="Dehghani et al., ICLR 2018, https://arxiv.org/abs/1711.02799",
        builder="tf_mwn.methods.teachers.fwl:FidelityWeighted",
        needs_meta_set=True,
        options=("fwl_epochs", "fwl_beta", "fwl_length_scale", "fwl_clusters"),
        facts=("num_sample_ids", "epochs"),
        stream_options=("meta_batch_size",),
    ),
)
