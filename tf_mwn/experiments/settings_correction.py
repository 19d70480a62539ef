"""Options: Estimated label noise and corrected labels."""

import dataclasses

from tf_mwn.experiments.setting import setting


@dataclasses.dataclass(frozen=True)
class CorrectionSettings:
    """Options of the methods in `tf_mwn.methods.rows_correction`."""
