"""Options: Teachers and losses that are learned."""

import dataclasses

from tf_mwn.experiments.setting import setting


@dataclasses.dataclass(frozen=True)
class TeachingSettings:
    """Options of the methods in `tf_mwn.methods.rows_teaching`."""
