"""Evaluates a finished run on any data, and exports its classifier.

Prints accuracy, calibration error, the recall of each class and the confusion matrix. Writes
evaluation.json and confusion.csv to the folder of the run.

    python -m launch.evaluate --run=runs/quickstart/meta_weight_net/seed0
    python -m launch.evaluate --run=runs/quickstart/gce/seed0 --export=exported
"""

from absl import flags

from tf_mwn.launch import data_flags, run_flags
from tf_mwn.launch.command_line import Path, mistakes, start

flags.adopt_module_key_flags(run_flags)
_DATASET = flags.DEFINE_string(
    "dataset",
    None,
    "Data to evaluate on, named as for launch.main. All of its examples are used. By default the "
    "test set of the run.",
    allow_override=True,
)
_EXPORT = flags.DEFINE(
    Path(),
    "export",
    None,
    "Folder for the classifier, as .keras and SavedModel that load without this package, and for "
    "the weight net as JSON.",
)


def main(argv: list[str]) -> None:
    del argv
    run = run_flags.load_run()
    from tf_mwn.runs import evaluate

    with mistakes():
        if _EXPORT.value:
            from tf_mwn.runs.export import check_destination, export

            check_destination(_EXPORT.value)
        subsets, name = evaluate.parts(run, _DATASET.value, data_flags.location())
        result = evaluate.evaluate(run, subsets)
        written = evaluate.write(run, result, name)
        print(f"{run.method} seed {run.seed} of {run.experiment}, on {name}")
        print(evaluate.text(result, run.data.card["class_names"]))
        if _EXPORT.value:
            written += export(run, _EXPORT.value)
    for path in written:
        print(path)


if __name__ == "__main__":
    start(main)
