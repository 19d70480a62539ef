"""The options of a step that learns Θ; they trade exactness, time and memory."""

from tf_mwn.checks import AT_LEAST_ONE
from tf_mwn.options import Option

SPEED = Option(
    "speed",
    "exact",
    ("exact", "fast"),
    "Pace of the meta step. exact leaves --meta_interval and --reuse_gradient as they are, "
    "fast stands for --meta_interval=5 --reuse_gradient.",
)
VIRTUAL_VARIABLES = Option(
    "virtual_variables",
    "all",
    ("all", "last_block", "head"),
    "Variables of the classifier that the virtual step moves: all of them, those of the "
    "last block, or those of the last layer (head).",
)
VIRTUAL_STEP = Option(
    "virtual_step",
    "plain",
    ("plain", "optimizer"),
    "Form of the virtual step. plain is SGD, optimizer adds the momentum and weight decay "
    "of the classifier's optimizer.",
)
META_INTERVAL = Option(
    "meta_interval", 1, AT_LEAST_ONE, "Number of training steps per meta update."
)
REUSE_GRADIENT = Option(
    "reuse_gradient",
    False,
    None,
    "Let the classifier step by the virtual gradient, which was made with Θ before its update.",
)
RECOMPUTE = Option(
    "recompute",
    False,
    None,
    "Run the forward pass a second time instead of keeping its activations: less memory, "
    "the same numbers.",
)
ENGINE = (SPEED, VIRTUAL_VARIABLES, VIRTUAL_STEP, META_INTERVAL, REUSE_GRADIENT, RECOMPUTE)
