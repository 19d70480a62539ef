"""Ranks the labels of a finished run, the most suspect first.

Writes suspects.csv, audit.json and audit.html, a page to review the suspects on, to the folder of
the run, and contact_sheet.png if the data are images. With --write, also writes a copy of the data
set, cleaned by the audit and by the decisions made on the page. With --ask, also chooses examples
for you to check, which become a clean set for --meta.

    python -m launch.audit --run=runs/quickstart/meta_weight_net/seed0
    python -m launch.audit --run=DIR --write=cleaned --action=relabel
    python -m launch.audit --run=DIR --ask=100
"""

from absl import flags

from tf_mwn.auditing.cleaning import ACTIONS, CLEAN_SET
from tf_mwn.launch import data_flags, run_flags
from tf_mwn.launch.command_line import Path, fail, mistakes, start
from tf_mwn.launch.help import group

flags.adopt_module_key_flags(run_flags)
_IMAGES = flags.DEFINE_integer(
    "images", 48, "Number of images on the contact sheet. 0 writes none.", 0
)
_WRITE = flags.DEFINE(
    Path(),
    "write",
    None,
    "Where to write a cleaned copy of the data set, in its own layout: a folder, a CSV file or an "
    ".npz file. For a set that has a name, a file for --label_file (.csv or .npz). The original is "
    "not touched. Needs --action.",
)
_ACTION = flags.DEFINE_enum(
    "action",
    None,
    ACTIONS,
    "What happens to suspects. drop leaves them out, relabel gives them the suggested label, and "
    "weight gives every example its trust as weight. clean_set writes only the examples that "
    "--decisions keeps or relabels, as a clean set for --meta.",
)
_DECISIONS = flags.DEFINE(
    Path(),
    "decisions",
    None,
    "The CSV file that audit.html saves. Its decisions overrule the audit.",
)
_ASK = flags.DEFINE_integer(
    "ask",
    None,
    "Also write ask.csv and ask.html, with this number of examples for you to check, spread evenly "
    "over the classes. Half of each class are the least trusted, half are drawn at random.",
    1,
)
group("A cleaned data set", _WRITE, _ACTION, _DECISIONS)


def main(argv: list[str]) -> None:
    del argv
    _check_flags()
    run = run_flags.load_run()
    from tf_mwn.auditing import asking, clean_copy
    from tf_mwn.auditing.runs import audit_run

    with mistakes():
        if _WRITE.value:
            is_clean_set = _ACTION.value == CLEAN_SET
            clean_copy.check_destination(run, _WRITE.value, is_clean_set)
        found = audit_run(run)
        name = f"{run.method} seed {run.seed} of {run.experiment}"
        written = found.write(run.path, _IMAGES.value, f"Audit of {name}")
        if _ASK.value:
            written += asking.write(found, _ASK.value, run.path, f"Labels to check of {name}")
    print(name)
    if found.weight is None:
        print(f"{run.method} gives no weights: the column weight is empty")
    print(found)
    if _WRITE.value:
        written += _write(run, found)
    for path in written:
        print(path)


def _check_flags() -> None:
    """Refuses one flag of a cleaned data set without the others."""
    if _WRITE.value and not _ACTION.value:
        fail(f"action: expected one of {', '.join(ACTIONS)} with --write, received none")
    for flag in (_ACTION, _DECISIONS):
        if flag.value and not _WRITE.value:
            fail(f"{flag.name}: expected --write=DIR or FILE with it, received none")


def _write(run, found) -> list:
    """Writes the data set anew, and prints what changed; the paths written."""
    from tf_mwn.auditing import clean_copy
    from tf_mwn.auditing.cleaning import outcome
    from tf_mwn.auditing.decisions import read_decisions

    with mistakes():
        decided = read_decisions(_DECISIONS.value, found) if _DECISIONS.value else None
        cleaned = outcome(found, _ACTION.value, decided)
        report, written = clean_copy.write(run, found, cleaned, _WRITE.value, data_flags.location())
    print(report)
    return written


if __name__ == "__main__":
    start(main)
