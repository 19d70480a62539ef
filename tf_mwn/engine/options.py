"""The options of a step that learns Θ; they trade exactness, time and memory."""

from tf_mwn.checks import AT_LEAST_ONE
from tf_mwn.options import Option

SPEED = Option("speed", "exact", ("exact", "fast"), "fast: as --meta_interval=5 --reuse_gradient.")
VIRTUAL_VARIABLES = Option(
    "virtual_variables", "all", ("all", "last_block", "head"), "What the virtual step moves."
)
VIRTUAL_STEP = Option(
    "virtual_step",
    "plain",
    ("plain", "optimizer"),
    "Virtual SGD step: plain, or with the optimizer's momentum and weight decay.",
)
META_INTERVAL = Option("meta_interval", 1, AT_LEAST_ONE, "Meta update every k-th step.")
REUSE_GRADIENT = Option(
    "reuse_gradient",
    False,
    None,
    "The classifier steps by the virtual gradient, which is that of Θ before its update.",
)
RECOMPUTE = Option(
    "recompute",
    False,
    None,
    "A second forward pass instead of kept activations: less memory, same numbers.",
)
ENGINE = (SPEED, VIRTUAL_VARIABLES, VIRTUAL_STEP, META_INTERVAL, REUSE_GRADIENT, RECOMPUTE)
