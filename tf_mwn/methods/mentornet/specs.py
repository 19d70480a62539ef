"""Rows: MentorNet."""

from tf_mwn.methods.spec.method import MethodRow

_PAPER = "Jiang et al., ICML 2018, https://arxiv.org/abs/1712.05055"
_FACTS = ("num_sample_ids", "steps_per_epoch", "epochs", "seed")

MENTOR: tuple[MethodRow, ...] = (
    MethodRow(
        name="mentornet_pd",
        title="sample weights by a mentor that knows a predefined curriculum",
        paper=_PAPER,
        builder="tf_mwn.methods.mentornet.mentornet:MentorNetPD",
        options=("mentor_curriculum", "mentor_percentile", "mentor_example_dropout"),
        facts=_FACTS,
    ),
    MethodRow(
        name="mentornet_dd",
        title="sample weights by a mentor that learned on the meta set to tell wrong labels",
        paper=_PAPER,
        builder="tf_mwn.methods.mentornet.mentornet:MentorNetDD",
        options=(
            "mentor",
            "mentor_percentile",
            "mentor_example_dropout",
            "mentor_burn_in",
            "mentor_student_epochs",
        ),
        facts=(*_FACTS, "transition_matrix"),
        fact_options=(("mentor", "transition_matrix"),),
        optional_meta_set=("mentor", None),
    ),
)
