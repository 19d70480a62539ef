"""Hyper-parameters of regularisation, optimizer and architecture, learned on the meta set."""

from tf_mwn.checks import AT_LEAST_ONE, POSITIVE
from tf_mwn.engine.options import META_INTERVAL
from tf_mwn.methods.spec.costs import in_effect
from tf_mwn.methods.spec.method import Method, Passes, Phase, Settings, always, plain_training
from tf_mwn.options import Option
from tf_mwn.training.options import (
    META_BATCH_SIZE,
    META_LEARNING_RATE,
    META_OPTIMIZER,
    META_WEIGHT_DECAY,
)

WEIGHT_DECAY_START = Option(
    "weight_decay_start",
    5e-4,
    POSITIVE,
    "L2 coefficient from which every layer starts. It is added to --weight_decay.",
)
HYPERGRADIENT_SET = Option(
    "hypergradient_set",
    "meta",
    ("meta", "training"),
    "Set whose loss the learned learning rate should lower.",
)
GATE_UNITS = Option(
    "gate_units", 100, AT_LEAST_ONE, "Number of hidden units in the second head of the gate."
)
GATE_ORDER = Option(
    "gate_order",
    "second",
    ("second", "first"),
    "Order of the gate's gradient. second looks one training step of the classifier "
    "ahead, first takes the weights as they are.",
)


def _learned(settings: Settings, update: Passes) -> tuple[Phase, ...]:
    """Plain steps with an update of Θ at every k-th step, which adds the passes of `update`."""
    interval = in_effect(settings)[META_INTERVAL.name]
    if not interval:
        return plain_training(settings)
    passes = Passes(3 + update.training / interval, update.meta / interval)
    return (Phase("training", settings["epochs"], passes),)


def _uses_meta_set(settings: Settings) -> bool:
    return settings[HYPERGRADIENT_SET.name] == "meta"


def _gate_phases(settings: Settings) -> tuple[Phase, ...]:
    # The first order differentiates the gate alone, after one forward pass.
    looks_ahead = settings[GATE_ORDER.name] == "second"
    return _learned(settings, Passes(4, 3) if looks_ahead else Passes(0, 1))


METHODS = (
    Method(
        name="learned_weight_decay",
        title="an L2 coefficient for each layer, learned on the meta set",
        paper="Luketina et al., ICML 2016, https://arxiv.org/abs/1511.06727",
        builder="tf_mwn.methods.hyper_parameters.learned_weight_decay:LearnedWeightDecay",
        sees="losses",
        options=(WEIGHT_DECAY_START, META_INTERVAL),
        # No decay of Θ: it would outweigh the small gradients of Θ.
        meta_optimizer=(META_OPTIMIZER, META_LEARNING_RATE, META_BATCH_SIZE),
        takes_meta_set=always,
        phases=lambda settings: _learned(settings, Passes(0, 3)),
    ),
    Method(
        name="hypergradient_descent",
        title="a learning rate learned by the meta gradient of the last step",
        paper="Baydin et al., ICLR 2018, https://arxiv.org/abs/1703.04782",
        builder="tf_mwn.methods.hyper_parameters.hypergradient_descent:HypergradientDescent",
        sees="losses",
        options=(HYPERGRADIENT_SET, META_INTERVAL),
        meta_optimizer=(META_OPTIMIZER, META_LEARNING_RATE, META_BATCH_SIZE),
        takes_meta_set=_uses_meta_set,
        phases=lambda settings: _learned(settings, Passes(0, 3 * _uses_meta_set(settings))),
    ),
    Method(
        name="architecture_gate",
        title="a mixture of two heads, learned on the meta set",
        paper="Liu et al. (DARTS), ICLR 2019, https://arxiv.org/abs/1806.09055",
        builder="tf_mwn.methods.hyper_parameters.architecture_gate:architecture_gate",
        sees="losses",
        options=(GATE_UNITS, GATE_ORDER, META_INTERVAL),
        meta_optimizer=(META_OPTIMIZER, META_LEARNING_RATE, META_BATCH_SIZE, META_WEIGHT_DECAY),
        takes_meta_set=always,
        phases=_gate_phases,
        remakes_classifier=True,
    ),
)
