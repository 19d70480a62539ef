"""Ranks the labels that a finished run contradicts.

Writes suspects.csv and audit.json to the folder of the run, and contact_sheet.png if the data are
images.

    python -m launch.audit --run=runs/quickstart/meta_weight_net/seed0
"""

from absl import flags

from launch import run_flags
from launch.command_line import mistakes, start

flags.adopt_module_key_flags(run_flags)
_IMAGES = flags.DEFINE_integer(
    "images", 48, "Number of images on the contact sheet. 0 writes none.", 0
)


def main(argv: list[str]) -> None:
    del argv
    run = run_flags.load_run()
    from tf_mwn.auditing.runs import audit_run

    with mistakes():
        found = audit_run(run)
        name = f"{run.method} seed {run.seed} of {run.experiment}"
        written = found.write(run.path, _IMAGES.value, f"Audit of {name}")
    print(name)
    if found.weight is None:
        print(f"{run.method} gives no weights: the column is empty")
    print(found)
    for path in written:
        print(path)


if __name__ == "__main__":
    start(main)
