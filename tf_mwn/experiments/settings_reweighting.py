"""Options: Sample weights learned on meta data."""

import dataclasses

from tf_mwn.experiments.setting import setting


@dataclasses.dataclass(frozen=True)
class ReweightingSettings:
    """Options of the methods in `tf_mwn.methods.rows_reweighting`."""
