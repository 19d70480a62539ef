"""Evaluates and exports a finished run: `python -m launch.evaluate --run=DIR [--export=FOLDER]`.

Prints accuracy, calibration error, recall of each class and the confusion matrix, and writes
evaluation.json and confusion.csv to the run's folder.
"""

from absl import app, flags

from launch import run_flags
from launch.command_line import mistakes, parse

flags.adopt_module_key_flags(run_flags)
_DATASET = flags.DEFINE_string(
    "dataset",
    None,
    "Data to evaluate on, as for launch.main, all of its examples; the run's test set by default.",
    allow_override=True,
)
_EXPORT = flags.DEFINE_string(
    "export",
    None,
    "Folder to write the classifier to, as .keras and SavedModel, free of this package; "
    "and the weight net as JSON.",
)


def main(argv: list[str]) -> None:
    del argv
    run = run_flags.load_run()
    from tf_mwn.runs import evaluate

    with mistakes():
        subsets, name = evaluate.parts(
            run,
            _DATASET.value,
            run_flags.DATA_DIR.value,
            run_flags.DOWNLOAD.value,
            run_flags.CACHE_DIR.value,
        )
        result = evaluate.evaluate(run, subsets)
        written = evaluate.write(run, result, name)
        print(f"{run.method} seed {run.seed} of {run.recipe}, on {name}")
        print(evaluate.text(result, run.data.card["class_names"]))
        if _EXPORT.value:
            from tf_mwn.runs.export import export

            written += export(run, _EXPORT.value)
    for path in written:
        print(path)


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
