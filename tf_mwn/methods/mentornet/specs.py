"""MentorNet: sample weights from a network that has learned a curriculum."""

from tf_mwn.checks import AT_LEAST_ONE, FRACTION, Interval
from tf_mwn.methods.spec.method import UNSET, Method
from tf_mwn.options import Option

MENTOR = Option(
    "mentor",
    None,
    None,
    "File written by MentorNet.save: a mentor that was learned before, on any data.",
    kind=str,
    names_file=True,
)
MENTOR_CURRICULUM = Option(
    "mentor_curriculum",
    "mixed",
    ("mixed", "baseline", "self_paced", "hard_mining", "focal", "linear"),
    "Curriculum that the mentor learns to imitate.",
)
MENTOR_PERCENTILE = Option(
    "mentor_percentile",
    None,
    FRACTION,
    "Percentile of the batch losses that the mentor compares with, as a fraction. By default 0.75 "
    "for mentornet_pd and 0.6 for mentornet_dd.",
    kind=float,
)
MENTOR_EXAMPLE_DROPOUT = Option(
    "mentor_example_dropout",
    None,
    None,
    "Pairs of a dropout rate of examples and the percent of the training for which it holds. By "
    "default 0.5,17,0.05,83 for mentornet_pd and 0.5,17,0.05,78,0.9,5 for mentornet_dd; 0,100 "
    "drops none.",
    kind=str,
)
MENTOR_BURN_IN = Option(
    "mentor_burn_in",
    18,
    Interval(0, 100),
    "Percent of the training before the mentor of mentornet_dd starts to weigh examples.",
)
MENTOR_STUDENT_EPOCHS = Option(
    "mentor_student_epochs",
    20,
    AT_LEAST_ONE,
    "Number of epochs of the student on the meta set from which the mentor of mentornet_dd learns.",
)

_PAPER = "Jiang et al., ICML 2018, https://arxiv.org/abs/1712.05055"
_FACTS = ("num_sample_ids", "steps_per_epoch", "epochs", "seed")

METHODS = (
    Method(
        name="mentornet_pd",
        title="sample weights from a mentor that knows a predefined curriculum",
        paper=_PAPER,
        builder="tf_mwn.methods.mentornet.mentornet:MentorNetPD",
        options=(MENTOR_CURRICULUM, MENTOR_PERCENTILE, MENTOR_EXAMPLE_DROPOUT),
        facts=_FACTS,
        gives_weights=True,
    ),
    Method(
        name="mentornet_dd",
        title="sample weights from a mentor that learned to recognise wrong labels",
        paper=_PAPER,
        builder="tf_mwn.methods.mentornet.mentornet:MentorNetDD",
        options=(
            MENTOR,
            MENTOR_PERCENTILE,
            MENTOR_EXAMPLE_DROPOUT,
            MENTOR_BURN_IN,
            MENTOR_STUDENT_EPOCHS,
        ),
        facts=(*_FACTS, "transition_matrix"),
        effective={MENTOR_STUDENT_EPOCHS.name: (MENTOR, UNSET)},
        instead_of={MENTOR.name: "transition_matrix"},
        takes_meta_set=lambda settings: settings[MENTOR.name] is None,
        gives_weights=True,
    ),
)
