"""MentorNet: sample weights by a network that knows, or has learned, a curriculum."""

from tf_mwn.checks import AT_LEAST_ONE, FRACTION, Interval
from tf_mwn.methods.spec.method import Method
from tf_mwn.options import Option

MENTOR = Option(
    "mentor",
    None,
    None,
    "File of MentorNet.save: a mentor that has learned before, on any data.",
    kind=str,
    names_file=True,
)
MENTOR_CURRICULUM = Option(
    "mentor_curriculum",
    "mixed",
    ("mixed", "baseline", "self_paced", "hard_mining", "focal", "linear"),
    "Curriculum that the mentor learns.",
)
MENTOR_PERCENTILE = Option(
    "mentor_percentile",
    None,
    FRACTION,
    "Percentile of the losses that mentors compare with, as a fraction; 0.75 of mentornet_pd "
    "and 0.6 of mentornet_dd by default.",
    kind=float,
)
MENTOR_EXAMPLE_DROPOUT = Option(
    "mentor_example_dropout",
    None,
    None,
    "Rates at which examples are dropped, and for how many percent of training: "
    "0.5,17,0.05,83 of mentornet_pd and 0.5,17,0.05,78,0.9,5 of mentornet_dd by default; "
    "0,100 drops none.",
    kind=str,
)
MENTOR_BURN_IN = Option(
    "mentor_burn_in",
    18,
    Interval(0, 100),
    "Percent of training before the mentor of mentornet_dd weighs.",
)
MENTOR_STUDENT_EPOCHS = Option(
    "mentor_student_epochs",
    20,
    AT_LEAST_ONE,
    "Epochs of the student on the meta set from which mentornet_dd learns.",
)

_PAPER = "Jiang et al., ICML 2018, https://arxiv.org/abs/1712.05055"
_FACTS = ("num_sample_ids", "steps_per_epoch", "epochs", "seed")

METHODS = (
    Method(
        name="mentornet_pd",
        title="sample weights by a mentor that knows a predefined curriculum",
        paper=_PAPER,
        builder="tf_mwn.methods.mentornet.mentornet:MentorNetPD",
        options=(MENTOR_CURRICULUM, MENTOR_PERCENTILE, MENTOR_EXAMPLE_DROPOUT),
        facts=_FACTS,
        gives_weights=True,
    ),
    Method(
        name="mentornet_dd",
        title="sample weights by a mentor that learned on the meta set to tell wrong labels",
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
        instead_of={MENTOR.name: "transition_matrix"},
        takes_meta_set=lambda settings: settings[MENTOR.name] is None,
        gives_weights=True,
    ),
)
