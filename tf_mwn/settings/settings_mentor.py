"""Options: MentorNet."""

import dataclasses

from tf_mwn.losses import admissible
from tf_mwn.methods.rules import CURRICULA
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class MentorSettings:
    """Options of the methods in `tf_mwn.methods.mentornet.specs`."""

    mentor: str | None = setting(
        None,
        "File of MentorNet.save: a mentor that has learned before, on any data.",
        names_file=True,
    )
    mentor_curriculum: str = setting(
        "mixed", "Curriculum that the mentor learns.", choices=CURRICULA
    )
    mentor_percentile: float | None = setting(
        None,
        "Percentile of the losses that mentors compare with, as a fraction; 0.75 of mentornet_pd "
        "and 0.6 of mentornet_dd by default.",
        within=admissible.FRACTION,
    )
    mentor_example_dropout: str | None = setting(
        None,
        "Rates at which examples are dropped, and for how many percent of training: "
        "0.5,17,0.05,83 of mentornet_pd and 0.5,17,0.05,78,0.9,5 of mentornet_dd by default; "
        "0,100 drops none.",
    )
    mentor_burn_in: int = setting(
        18, "Percent of training before the mentor of mentornet_dd weighs.", least=0, most=100
    )
    mentor_student_epochs: int = setting(
        20, "Epochs of the student on the meta set from which mentornet_dd learns.", least=1
    )
