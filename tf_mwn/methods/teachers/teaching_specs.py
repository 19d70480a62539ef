"""Rows: Teachers and losses that are learned."""

from tf_mwn.methods.spec.method import ENGINE_OPTIONS, MethodRow

_META_OPTIMIZER = ("meta_optimizer", "meta_learning_rate", "meta_weight_decay", "meta_batch_size")

TEACHING: tuple[MethodRow, ...] = (
    MethodRow(
        name="learning_to_teach",
        title="a teacher keeps or drops examples, and learns by reward",
        paper="Fan et al., ICLR 2018, https://arxiv.org/abs/1805.03643",
        builder="tf_mwn.methods.teachers.learning_to_teach:LearningToTeach",
        needs_meta_set=True,
        options=("l2t_episodes", "l2t_episode_epochs", "l2t_reward", "l2t_accuracy"),
        facts=("num_classes", "num_sample_ids", "steps_per_epoch", "epochs", "seed"),
        compile_options=_META_OPTIMIZER,
    ),
    MethodRow(
        name="learned_loss",
        title="a loss 4σ(-(yᵀ W ln p + b)) with learned W and b",
        paper="Wu et al., NeurIPS 2018, https://arxiv.org/abs/1810.12081",
        builder="tf_mwn.methods.teachers.loss_teaching:learned_loss",
        needs_meta_set=True,
        options=ENGINE_OPTIONS,
        facts=("num_classes",),
        compile_options=_META_OPTIMIZER,
    ),
)
