"""Options: Hyper-parameters of regularisation, optimizer and architecture."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.hyper_parameters.specs import GATE_ORDERS, HYPERGRADIENT_SETS
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class HyperParametersSettings:
    """Options of the methods in `tf_mwn.methods.hyper_parameters.specs`."""

    weight_decay_start: float = setting(
        5e-4,
        "L2 coefficient that each layer starts from, on top of --weight_decay.",
        within=admissible.POSITIVE,
    )
    hypergradient_set: str = setting(
        "meta",
        "Whose loss the learning rate is learned to lower: the meta set's, or that of training.",
        choices=HYPERGRADIENT_SETS,
    )
    gate_units: int = setting(100, "Hidden units of the gate's second head.", least=1)
    gate_order: str = setting(
        "second",
        "Gradient of the gate: one step of the weights ahead, or at the weights as they are.",
        choices=GATE_ORDERS,
    )
