"""The options of a step; most are of one that learns Θ and trade exactness, time and memory."""

from tf_mwn.checks import BELOW_ONE, FRACTION, NON_NEGATIVE
from tf_mwn.options import Option

SPEED = Option(
    "speed",
    "exact",
    ("exact", "fast"),
    "Speed of the meta step. exact leaves --meta_interval, --meta_fraction and --reuse_gradient as "
    "they are. fast means --meta_interval=5 and --meta_fraction=0.25.",
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
    "auto",
    ("auto", "plain", "optimizer", "preconditioned"),
    "Form of the virtual step. plain is SGD at the classifier's learning rate. optimizer adds the "
    "momentum and weight decay of SGD. preconditioned scales each gradient as an adaptive "
    "optimizer does. auto is plain under SGD and preconditioned under any other optimizer.",
)
META_INTERVAL = Option(
    "meta_interval",
    1,
    NON_NEGATIVE,
    "Number of training steps per meta update. With 0 there are none, and what would be learned "
    "keeps its initial values.",
)
REUSE_GRADIENT = Option(
    "reuse_gradient",
    False,
    None,
    "Use the virtual gradient for the classifier's step too. It is that of Θ before its update.",
)
RECOMPUTE = Option(
    "recompute",
    False,
    None,
    "Run the forward pass a second time instead of keeping its activations: less memory, "
    "the same numbers.",
)
META_FRACTION = Option(
    "meta_fraction",
    1.0,
    FRACTION,
    "Part of the training batch from which the meta update learns: 1/k takes every k-th example. "
    "By default the meta batch is smaller by the same factor.",
)
META_START = Option(
    "meta_start",
    0.0,
    BELOW_ONE,
    "Fraction of the epochs with plain training, before the meta updates and the use of what they "
    "learn begin. 0.8 is usual for long-tailed data.",
)
FUSED_BATCH_NORM = Option(
    "fused_batch_norm",
    "auto",
    ("auto", "on", "off"),
    "Compute batch norm in training by one kernel each for the forward pass and its derivatives. "
    "Where that does not fit, auto computes batch norm as Keras does. on refuses a network in "
    "which it fits nowhere.",
)
# What meta-learners alone have.
ENGINE = (
    SPEED,
    VIRTUAL_VARIABLES,
    VIRTUAL_STEP,
    META_INTERVAL,
    META_FRACTION,
    META_START,
    REUSE_GRADIENT,
    RECOMPUTE,
)
