"""The options of what is learned on a meta set: its optimizer and its batches."""

from tf_mwn.checks import AT_LEAST_ONE, NON_NEGATIVE, POSITIVE
from tf_mwn.options import Option

META_BATCH_SIZE = Option(
    "meta_batch_size",
    None,
    AT_LEAST_ONE,
    "Meta batch size. By default the number of training examples from which a meta update learns, "
    "or the size of the meta set if that is smaller.",
    kind=int,
)
META_OPTIMIZER = Option(
    "meta_optimizer", "adam", ("adam", "sgd"), "Optimizer of what is learned on the meta set (Θ)."
)
META_LEARNING_RATE = Option(
    "meta_learning_rate", 1e-3, POSITIVE, "Learning rate of the meta optimizer."
)
META_WEIGHT_DECAY = Option(
    "meta_weight_decay",
    0.0,
    NON_NEGATIVE,
    "Weight decay of what is learned on the meta set (Θ), added to the gradient.",
)
OPTIMIZER_OF_THETA = (META_OPTIMIZER, META_LEARNING_RATE, META_WEIGHT_DECAY)
META = (META_BATCH_SIZE, *OPTIMIZER_OF_THETA)
