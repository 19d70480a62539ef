"""Options: MentorNet."""

import dataclasses

from tf_mwn.experiments.setting import setting


@dataclasses.dataclass(frozen=True)
class MentorSettings:
    """Options of the methods in `tf_mwn.methods.rows_mentor`."""
