"""Training on the clean set, two networks, and learned teachers."""

from tf_mwn.checks import AT_LEAST_ONE, BELOW_ONE, FRACTION, NON_NEGATIVE, POSITIVE
from tf_mwn.engine.options import ENGINE
from tf_mwn.methods.spec.costs import meta_training
from tf_mwn.methods.spec.method import UNSET, Method, Passes, Phase, Settings, always
from tf_mwn.options import Option
from tf_mwn.training.options import (
    FINE_TUNED_EPOCHS,
    FINE_TUNING_EPOCHS,
    META_BATCH_SIZE,
    OPTIMIZER_OF_THETA,
)

CLEAN_SHARE = Option(
    "clean_share",
    0.25,
    FRACTION,
    "Number of clean examples in every step of clean_added, as a share of the batch size. "
    "--meta_batch_size sets the number itself.",
    grid=(0.1, 0.25, 0.5, 1.0),
)
CO_TEACHING_FORGET_RATE = Option(
    "co_teaching_forget_rate",
    None,
    BELOW_ONE,
    "Fraction of each batch that co-teaching leaves out in the end. By default the noise rate.",
    kind=float,
)
CO_TEACHING_GRADUAL_EPOCHS = Option(
    "co_teaching_gradual_epochs",
    10,
    AT_LEAST_ONE,
    "Number of epochs until co-teaching leaves out the full fraction.",
)
CO_TEACHING_EXPONENT = Option(
    "co_teaching_exponent",
    1.0,
    POSITIVE,
    "Exponent c of the fraction that co-teaching leaves out, which grows as (epoch)^c.",
)
FWL_EPOCHS = Option(
    "fwl_epochs", 20, AT_LEAST_ONE, "Number of epochs on the labels of the teacher."
)
FWL_BETA = Option(
    "fwl_beta",
    1.0,
    NON_NEGATIVE,
    "β of the weights exp(-β Σ), where Σ is the variance of the teacher's label.",
)
FWL_LENGTH_SCALE = Option(
    "fwl_length_scale",
    "median",
    ("median", "marginal_likelihood"),
    "Length scale of the teacher: the median distance, or the one of largest marginal likelihood.",
)
FWL_CLUSTERS = Option(
    "fwl_clusters",
    1,
    AT_LEAST_ONE,
    "Number of Gaussian processes, one for each cluster of the meta set.",
)
L2T_EPISODES = Option(
    "l2t_episodes", 10, AT_LEAST_ONE, "Number of short trainings from which the teacher learns."
)
L2T_EPISODE_EPOCHS = Option(
    "l2t_episode_epochs",
    None,
    AT_LEAST_ONE,
    "Number of epochs in each short training. By default a tenth of --epochs.",
    kind=int,
)
L2T_REWARD = Option(
    "l2t_reward",
    "accuracy",
    ("accuracy", "speed"),
    "Reward of the teacher: accuracy on the meta set, or speed in reaching --l2t_accuracy there.",
)
L2T_ACCURACY = Option(
    "l2t_accuracy", 0.8, FRACTION, "Accuracy on the meta set to reach, for --l2t_reward=speed."
)

_ON_META_BATCHES = Passes(training=0, meta=3)


def _clean_added_phases(settings: Settings) -> tuple[Phase, ...]:
    # One pass takes the training and the meta batch.
    passes = Passes(3, 3, meta_batch=settings[CLEAN_SHARE.name])
    return (Phase("training", settings["epochs"], passes),)


def _fwl_phases(settings: Settings) -> tuple[Phase, ...]:
    return Phase("epochs", settings["epochs"]), Phase("fwl_epochs", settings[FWL_EPOCHS.name])


def l2t_lengths(epochs: int, episodes: int, episode_epochs: int | None) -> dict[str, int]:
    """Epochs of the episodes and the last training of learning to teach."""
    short = max(1, epochs // 10) if episode_epochs is None else episode_epochs
    return {**{f"episode_{i + 1}": short for i in range(episodes)}, "final": epochs}


def _l2t_phases(settings: Settings) -> tuple[Phase, ...]:
    wanted = (settings[option.name] for option in (L2T_EPISODES, L2T_EPISODE_EPOCHS))
    lengths = l2t_lengths(settings["epochs"], *wanted)
    # Every step evaluates the classifier on a meta batch.
    return tuple(Phase(name, epochs, Passes(3, 1)) for name, epochs in lengths.items())


CLEAN_SET = (
    Method(
        name="clean_only",
        title="plain training on the meta set alone",
        paper="Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        builder="tf_mwn.methods.teachers.clean_set:CleanOnly",
        sees="losses",
        stream=(META_BATCH_SIZE,),
        takes_meta_set=always,
        adjusts_logits=False,
        trains_on_meta_set=True,
        phases=lambda settings: (Phase("training", settings["epochs"], _ON_META_BATCHES),),
    ),
    Method(
        name="clean_added",
        title="plain training, with examples of the meta set in every batch",
        paper="the baseline with clean labels",
        builder="tf_mwn.methods.teachers.clean_set:CleanAdded",
        sees="losses",
        stream=(CLEAN_SHARE, META_BATCH_SIZE),
        effective={CLEAN_SHARE.name: (META_BATCH_SIZE, UNSET)},
        takes_meta_set=always,
        trains_on_meta_set=True,
        holds_back_meta=True,
        phases=_clean_added_phases,
    ),
    Method(
        name="fine_tuning",
        title="plain training, then a few epochs on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
        sees="losses",
        defaults={FINE_TUNING_EPOCHS.name: FINE_TUNED_EPOCHS},
        stream=(META_BATCH_SIZE,),
    ),
    Method(
        name="co_teaching",
        title="two networks; each learns the examples of small loss that the other picks",
        paper="Han et al., NeurIPS 2018, https://arxiv.org/abs/1804.06872",
        builder="tf_mwn.methods.teachers.co_teaching:CoTeaching",
        sees="losses",
        options=(CO_TEACHING_FORGET_RATE, CO_TEACHING_GRADUAL_EPOCHS, CO_TEACHING_EXPONENT),
        facts=("num_sample_ids", "steps_per_epoch", "noise_rate"),
        instead_of={CO_TEACHING_FORGET_RATE.name: "noise_rate"},
        phases=lambda settings: (Phase("training", settings["epochs"], Passes(6)),),  # two networks
        gives_weights=True,
    ),
    Method(
        name="fwl",
        title="fidelity-weighted: labels and weights of a Gaussian process on the meta set",
        paper="Dehghani et al., ICLR 2018, https://arxiv.org/abs/1711.02799",
        builder="tf_mwn.methods.teachers.fwl:FidelityWeighted",
        options=(FWL_EPOCHS, FWL_BETA, FWL_LENGTH_SCALE, FWL_CLUSTERS),
        facts=("num_sample_ids", "epochs"),
        takes_meta_set=always,
        phases=_fwl_phases,
        gives_weights=True,
    ),
)
TEACHING = (
    Method(
        name="learning_to_teach",
        title="a teacher keeps or drops examples, and learns by reward",
        paper="Fan et al., ICLR 2018, https://arxiv.org/abs/1805.03643",
        builder="tf_mwn.methods.teachers.learning_to_teach:LearningToTeach",
        options=(L2T_EPISODES, L2T_EPISODE_EPOCHS, L2T_REWARD, L2T_ACCURACY),
        effective={L2T_ACCURACY.name: (L2T_REWARD, ("speed",))},
        facts=("num_classes", "num_sample_ids", "steps_per_epoch", "epochs", "seed"),
        meta_optimizer=(*OPTIMIZER_OF_THETA, META_BATCH_SIZE),
        takes_meta_set=always,
        phases=_l2t_phases,
        gives_weights=True,
    ),
    Method(
        name="learned_loss",
        title="a loss 4σ(-(yᵀ W ln p + b)) with learned W and b",
        paper="Wu et al., NeurIPS 2018, https://arxiv.org/abs/1810.12081",
        builder="tf_mwn.methods.teachers.loss_teacher:learned_loss",
        options=ENGINE,
        facts=("num_classes", "epochs"),
        meta_optimizer=(*OPTIMIZER_OF_THETA, META_BATCH_SIZE),
        takes_meta_set=always,
        phases=meta_training,
    ),
)
