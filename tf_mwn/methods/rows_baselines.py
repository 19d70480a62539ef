"""Rows: Baselines of the comparisons: the clean set alone, two networks, a Gaussian-process teacher."""

from tf_mwn.methods.row import MethodRow

BASELINES: tuple[MethodRow, ...] = (
    MethodRow(
        name="clean_only",
        title="plain training on the meta set alone",
        paper="Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        builder="clean_set:CleanOnly",
        needs_meta_set=True,
        stream_options=("meta_batch_size",),
    ),
    MethodRow(
        name="fine_tuning",
        title="plain training, then a few epochs on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="clean_set:FineTuning",
        needs_meta_set=True,
        options=("fine_tuning_epochs",),
        facts=("epochs",),
        stream_options=("meta_batch_size",),
    ),
)
