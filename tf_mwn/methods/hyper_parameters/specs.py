"""Rows: Hyper-parameters of regularisation, optimizer and architecture."""

from tf_mwn.methods.spec.method import MethodRow

# Whose loss the hypergradient of the learning rate is taken of.
HYPERGRADIENT_SETS = ("meta", "training")
# Whether the gate's gradient looks one step of the weights ahead.
GATE_ORDERS = ("second", "first")

_META_OPTIMIZER = ("meta_optimizer", "meta_learning_rate", "meta_batch_size")

HYPER_PARAMETERS: tuple[MethodRow, ...] = (
    MethodRow(
        name="learned_weight_decay",
        title="an L2 coefficient for each layer, learned on the meta set",
        paper="Luketina et al., ICML 2016, https://arxiv.org/abs/1511.06727",
        builder="tf_mwn.methods.hyper_parameters.learned_weight_decay:LearnedWeightDecay",
        needs_meta_set=True,
        options=("weight_decay_start", "meta_interval"),
        # No decay of Θ: its gradients are small, and would lose against it.
        compile_options=_META_OPTIMIZER,
    ),
    MethodRow(
        name="hypergradient_descent",
        title="a learning rate learned by the meta gradient of the last step",
        paper="Baydin et al., ICLR 2018, https://arxiv.org/abs/1703.04782",
        builder="tf_mwn.methods.hyper_parameters.hypergradient_descent:HypergradientDescent",
        options=("hypergradient_set", "meta_interval"),
        compile_options=_META_OPTIMIZER,
        optional_meta_set=("hypergradient_set", "meta"),
    ),
    MethodRow(
        name="architecture_gate",
        title="a mixture of two heads, learned on the meta set",
        paper="Liu et al. (DARTS), ICLR 2019, https://arxiv.org/abs/1806.09055",
        builder="tf_mwn.methods.hyper_parameters.architecture_gate:architecture_gate",
        needs_meta_set=True,
        options=("gate_units", "gate_order", "meta_interval"),
        compile_options=(*_META_OPTIMIZER, "meta_weight_decay"),
        remakes_classifier=True,
    ),
)
