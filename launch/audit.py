"""Ranks the labels that a finished run does not believe: `python -m launch.audit --run=DIR`.

Writes suspects.csv, audit.json and, of images, contact_sheet.png to the run's folder.
"""

from absl import app, flags

from launch import run_flags
from launch.command_line import mistakes, parse

flags.adopt_module_key_flags(run_flags)
_IMAGES = flags.DEFINE_integer("images", 48, "Images on the contact sheet; 0 for none.", 0)


def main(argv: list[str]) -> None:
    del argv
    run = run_flags.load_run()
    from tf_mwn.auditing.runs import audit_run

    with mistakes():
        found = audit_run(run)
        written = found.write(run.folder.path, _IMAGES.value)
    print(f"{run.method} seed {run.seed} of {run.recipe}")
    if found.weight is None:
        print(f"{run.method} gives no weights: the column is empty")
    print(found)
    for path in written:
        print(path)


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
