"""Tests mirror the tree: the test of a module is where its name says."""

import pathlib

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
# Folders whose tests are of commands and examples, not of one folder of tf_mwn.
OF_COMMANDS = {"integration", "examples"}
# Test files that are named after a property of many modules.
PROPERTIES = {
    "test_docs.py",
    "test_docstrings.py",
    "test_imports.py",
    "test_package.py",
    "test_tree.py",
    "data/streams/test_streaming.py",
    "data/test_reproducibility.py",
    "engine/test_meta_gradient.py",
    "engine/test_sparse_gradients.py",
    "launch/test_mistakes.py",
    "launch/test_own_data.py",
    "launch/test_weight_net.py",
    "losses/test_every_function.py",
    "methods/rules/test_every_function.py",
    "methods/rules/test_regularizers.py",
    "methods/test_passes.py",
    "methods/test_sample_weight.py",
    "networks/test_networks.py",
    "training/test_callbacks.py",
    "training/test_communication.py",
    "training/test_law.py",
    "training/test_meta_steps.py",
    "training/test_step_modes.py",
}
# A module of more lines than this has a test file of its name, or stands below.
SMALL = 60
# Larger modules without one, and the test file that tests them; a bare name stands in many folders.
TESTED_BY = {
    "auditing/result.py": "auditing/test_audit.py",
    "data/sources/csv_rows.py": "data/sources/test_csv_list.py",
    "data/sources/facts.py": "recipes/test_own_data.py",
    "data/splits/card_text.py": "data/splits/test_card.py",
    "data/streams/pairing.py": "methods/meta_weight_net/test_robust.py",
    "data/streams/examples.py": "data/streams/test_pipeline.py",
    "data/subset.py": "data/splits/test_biased_data.py",
    "engine/objective.py": "engine/test_meta_gradient.py",
    "engine/preconditioner.py": "engine/test_meta_gradient.py",
    "engine/replicas.py": "training/test_law.py",
    "engine/virtual_step.py": "engine/test_meta_gradient.py",
    "launch/command_line.py": "launch/test_mistakes.py",
    "launch/flags.py": "launch/test_help.py",
    "launch/tune.py": "integration/test_tune.py",
    "methods/losses/posthoc_adjustment.py": "training/test_logit_adjustment.py",
    "methods/spec/facts.py": "methods/test_registry.py",
    "monitoring/progress.py": "test_messages.py",
    "networks/cnn.py": "networks/test_networks.py",
    "options.py": "settings/test_config.py",
    "recipes/human_noise.py": "recipes/test_experiment.py",
    "recipes/other_papers.py": "recipes/test_experiment.py",
    "recipes/table.py": "recipes/test_published.py",
    "reproduction/biases.py": "reproduction/test_comparison.py",
    "reproduction/table_page.py": "reproduction/test_tables.py",
    "recipes/papers.py": "recipes/test_experiment.py",
    "recipes/short.py": "recipes/test_experiment.py",
    "runs/evaluate.py": "launch/test_evaluate.py",
    "runs/export.py": "launch/test_evaluate.py",
    "runs/finished_run.py": "launch/test_evaluate.py",
    "runs/epoch_state.py": "integration/test_faults.py",
    "runs/predict.py": "launch/test_predict.py",
    "runs/noise_model.py": "data/bias/test_feature_noise.py",
    "runs/session.py": "integration/test_faults.py",
    "runs/train.py": "integration/test_main.py",
    "search/study_plan.py": "search/test_study.py",
    "training/checks/labels.py": "training/checks/test_tasks.py",
    "training/compiled.py": "training/test_robust_model.py",
    "training/given_data.py": "training/test_loops.py",
    "training/mean_loss.py": "training/test_loops.py",
    "methods/hyper_parameters/learned_update.py": (
        "methods/hyper_parameters/test_hypergradient_descent.py"
    ),
    "specs.py": "methods/test_registry.py",
}


def files_of_tests():
    """Paths of the test files below tests."""
    return sorted(path.relative_to(TESTS) for path in TESTS.glob("**/test_*.py"))


def folders(root):
    return {path.parent.relative_to(root).as_posix() for path in root.glob("**/*.py")}


def module_of(test_file):
    """The file that a test file is named after."""
    return ROOT / "tf_mwn" / test_file.parent / test_file.name.removeprefix("test_")


def test_both_trees_have_the_same_folders():
    assert folders(TESTS) - OF_COMMANDS == folders(ROOT / "tf_mwn")


def test_a_test_file_is_named_after_a_module_or_a_listed_property():
    named = [path for path in files_of_tests() if path.parts[0] not in ("integration", "examples")]
    assert {path.as_posix() for path in named if not module_of(path).exists()} == PROPERTIES


def test_every_larger_module_has_a_test_file_of_its_name_or_a_listed_one():
    tested = {module_of(path) for path in files_of_tests()}
    without = set()
    for path in (ROOT / "tf_mwn").glob("**/[!_]*.py"):
        if path not in tested and len(path.read_text().splitlines()) > SMALL:
            place = path.relative_to(ROOT / "tf_mwn").as_posix()
            without.add(path.name if path.name in TESTED_BY and "/" in place else place)
    assert without == set(TESTED_BY)
    assert not [path for path in TESTED_BY.values() if not (TESTS / path).exists()]
