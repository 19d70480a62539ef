"""Options: Baselines of the comparisons: the clean set alone, two networks, a Gaussian-process teacher."""

import dataclasses

from tf_mwn.experiments.setting import setting


@dataclasses.dataclass(frozen=True)
class BaselinesSettings:
    """Options of the methods in `tf_mwn.methods.rows_baselines`."""

    fine_tuning_epochs: int = setting(
        5, "Epochs on the meta set after the training on the given labels.", least=1
    )
