"""The cost of a training, counted in forward passes of the classifier."""

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.methods.registry import Method
from tf_mwn.methods.spec import costs
from tf_mwn.runs import streams
from tf_mwn.settings.config import Config
from tf_mwn.training.fine_tuning import cut_steps


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
    settings, steps = vars(config), streams.steps_per_epoch(config, method, data)
    meta_batch = method.meta_batch_size(settings, len(data.meta))
    epochs = costs.of_epochs(method.phases(settings), steps, config.batch_size, meta_batch)
    tuned = method.fine_tuning_epochs(settings)
    if tuned:
        # Its size is that of any seed.
        clean = streams.meta_parts(config, method, data, seed=0).last_phase
        batch = streams.fine_tuning_batch(config, clean)
        epochs += tuned * [3 * batch * cut_steps(steps, len(clean), batch)]
    return sum(epochs[first_epoch:last_epoch])
