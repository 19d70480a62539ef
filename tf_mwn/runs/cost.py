"""The cost of a training, counted in forward passes of the classifier."""

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.methods.registry import Method
from tf_mwn.methods.spec import costs
from tf_mwn.runs import build
from tf_mwn.settings.config import Config


def forward_passes(
    config: Config,
    method: Method,
    data: BiasedData,
    first_epoch: int = 0,
    last_epoch: int | None = None,
) -> float:
    """The cost of the steps of epochs [first, last), in forward passes of one example.

    By default these are all epochs of all phases. A backward pass counts as two forward passes, so
    that a plain step costs 3 per example.
    """
    return costs.forward_passes(
        method.every_phase(vars(config)),
        build.steps_per_epoch(config, method, data),
        config.batch_size,
        method.meta_batch_size(vars(config), len(data.meta)),
        first_epoch,
        last_epoch,
    )
