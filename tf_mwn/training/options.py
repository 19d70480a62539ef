"""The options of what is learned on a meta set: its optimizer and its batches."""

from tf_mwn.checks import AT_LEAST_ONE, BELOW_ONE, NON_NEGATIVE, POSITIVE
from tf_mwn.options import Option

BALANCED, TEST = "balanced", "test"

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
    "meta_learning_rate",
    1e-3,
    NON_NEGATIVE,
    "Learning rate of the meta optimizer. With 0 there are no meta updates, and steps cost as much "
    "as in plain training.",
)
META_WEIGHT_DECAY = Option(
    "meta_weight_decay",
    0.0,
    NON_NEGATIVE,
    "Weight decay of what is learned on the meta set (Θ), added to the gradient.",
)
LOGIT_ADJUSTMENT = Option(
    "logit_adjustment",
    None,
    NON_NEGATIVE,
    "Strength τ of the correction of the training logits by the class shares, z + τ ln π: 1 aims "
    "at balanced classes, 0 is plain training. By default 0, and 1 for the methods made for it.",
    grid=(0.0, 0.5, 1.0, 1.5),
    kind=float,
)
TARGET_SHARES = Option(
    "target_shares",
    BALANCED,
    None,
    "Class shares that --logit_adjustment aims at: balanced, test for those of the test set, or a "
    "number for each class, separated by commas.",
)
OPTIMIZER_OF_THETA = (META_OPTIMIZER, META_LEARNING_RATE, META_WEIGHT_DECAY)
# For the methods that are made for a last phase.
FINE_TUNED_EPOCHS = 5
# An epoch of the last phase passes over the clean examples at most so often.
PASSES = 20
FINE_TUNING_EPOCHS = Option(
    "fine_tuning_epochs",
    None,
    NON_NEGATIVE,
    "Number of epochs on only the meta set, after the training. Each has as many steps as an "
    f"epoch of the training, but at most {PASSES} passes over the meta set. The epoch that is best "
    "on held-back clean examples is kept, if it improves on the training. "
    f"By default 0, and {FINE_TUNED_EPOCHS} for the methods made for it.",
    kind=int,
)
FINE_TUNING_RATE = Option(
    "fine_tuning_rate",
    0.1,
    POSITIVE,
    "Learning rate of --fine_tuning_epochs, as a multiple of the initial --learning_rate.",
    grid=(0.01, 0.1, 1.0),
)
HELD_BACK = Option(
    "held_back",
    0.2,
    BELOW_ONE,
    "Share of each class of the meta set that is held back if a method trains the classifier on "
    "the meta set. It decides how many of --fine_tuning_epochs are kept.",
)
# The options that have a meaning for every method.
SHARED = (LOGIT_ADJUSTMENT, TARGET_SHARES, FINE_TUNING_EPOCHS, FINE_TUNING_RATE, HELD_BACK)
# What a shared option stands for where neither the run nor the method says.
NOT_GIVEN = {LOGIT_ADJUSTMENT.name: 0.0, FINE_TUNING_EPOCHS.name: 0}
META = (META_BATCH_SIZE, *OPTIMIZER_OF_THETA)


def parse_target_shares(text: str) -> str | tuple[float, ...]:
    """The value of `--target_shares`: "balanced", "test", or the share of each class.

    Raises:
        ValueError: another text, or a share that is not positive.
    """
    if text in (BALANCED, TEST):
        return text
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if not shares or not all(share in POSITIVE for share in shares):
        raise ValueError(
            "target_shares: expected balanced, test, or a positive number for each class, "
            f"separated by commas, received {text!r}"
        )
    return shares
