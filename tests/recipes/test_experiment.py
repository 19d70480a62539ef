"""Experiments: recipes with overrides, the folder of a run, and what is refused."""

import numpy as np
import pytest

from tf_mwn.methods.registry import METHODS
from tf_mwn.recipes.experiment import RECIPES, resolve


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_are_valid_and_say_where_they_come_from(recipe):
    row = RECIPES[recipe]
    row.config  # noqa: B018 raises if a setting is not valid
    assert row.title and row.source and row.cost
    assert "to be measured" not in row.expected
    assert set(row.methods) <= set(METHODS)


def test_folder_names_overrides_and_nothing_else():
    plain = resolve("quickstart", {})
    assert plain.folder == "quickstart" and plain.seeds == (0,)
    same = resolve("quickstart", {"epochs": plain.config.epochs})
    assert same.folder == "quickstart"
    changed = resolve("quickstart", {"epochs": 3})
    assert (
        changed.folder.startswith("quickstart-") and len(changed.folder) == len("quickstart-") + 6
    )
    assert resolve("quickstart", {"epochs": 4}).folder != changed.folder
    assert resolve("quickstart", {"epochs": 3}, ["cross_entropy"], [1, 2]).folder == changed.folder


def test_own_data_drops_the_recipes_artificial_bias(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("mine.npz", x=rng.normal(size=(40, 8, 8)), y=np.arange(40) % 2)
    own = resolve("quickstart", {"dataset": "mine.npz"}, ["cross_entropy"]).config
    assert own.noise == "none" and own.noise_rate == 0.0 and own.network == "small_cnn"
    noisy = resolve(
        "quickstart", {"dataset": "mine.npz", "noise": "flip", "noise_rate": 0.2, "meta_size": 4}
    )
    assert noisy.config.noise == "flip" and noisy.config.noise_rate == 0.2
    other = resolve("quickstart", {"dataset": "fashion_mnist"}).config
    assert other.noise == "flip2", "another benchmark set keeps the recipe's bias"


def test_a_list_of_labels_is_found_in_its_folder(tmp_path):
    (tmp_path / "noisy100.csv").touch()
    found = resolve("cifar100n", {"label_file": str(tmp_path)}).config
    assert (found.dataset, found.label_file) == ("cifar100", str(tmp_path / "noisy100.csv"))
    own_labels = resolve("cifar10n_worse", {"dataset": "cifar10_n/worse_label"}).config
    assert own_labels.label_file is None and own_labels.network == "resnet32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "quickstrat"}, "did you mean 'quickstart'"),
        ({"methods": ["cross_entrpy"]}, "did you mean 'cross_entropy'"),
        ({"methods": ["cross_entropy", "cross_entropy"]}, "expected each once"),
        ({"methods": []}, "expected at least one"),
        ({"seeds": [1, 1]}, "expected each once"),
        ({"recipe": "mwn_clothing1m"}, "expected --dataset=FOLDER with Clothing1M's folder"),
        ({"recipe": "cifar10n_aggre"}, "label_file: expected the file aggre.npz, .* received none"),
        ({"seeds": [-1]}, r"expected integers from 0 to 2\^32 - 1, received -1"),
        ({"seeds": [0, 2**32]}, r"expected integers from 0 to 2\^32 - 1, received 4294967296"),
        (
            {"overrides": {"decay_factor": 0.5}},
            "decay_factor: expected --decay_epochs with it, received none",
        ),
        (
            {"recipe": "fashion_longtail_100", "overrides": {"noise": "flip2"}},
            "noise: expected --noise_rate with it, received none",
        ),
        (
            {"overrides": {"imbalance": "step"}},
            "imbalance: expected --imbalance_factor with it, received none",
        ),
        (
            {"methods": ["clean_only"], "overrides": {"logit_adjustment": 1.0}},
            "logit_adjustment: expected a method that sees the training set, received clean_only",
        ),
        (
            {"methods": ["cross_entropy"], "overrides": {"meta_interval": 2}},
            "no effect on cross_entropy; it is an option of meta_weight_net",
        ),
        (
            {"methods": ["cross_entropy"], "overrides": {"fine_tuning_rate": 0.5}},
            "fine_tuning_rate: expected only with fine_tuning_epochs above 0",
        ),
        (
            {"methods": ["gce", "mae"], "overrides": {"target_shares": "test"}},
            "target_shares: expected only with logit_adjustment above 0",
        ),
        (
            {"methods": ["meta_weight_net"], "overrides": {"held_back": 0.3}},
            "held_back: expected only with fine_tuning_epochs above 0",
        ),
        (
            {
                "methods": ["cross_entropy", "cmw_net"],
                "overrides": {"cmw_meta_set": "balanced", "cmw_ema": 0.9},
            },
            "cmw_ema: expected only with cmw_meta_set=low_loss, .* without effect on cmw_net$",
        ),
        (
            {
                "methods": ["cmw_net_sl"],
                "overrides": {"cmw_meta_set": "given", "cmw_meta_per_class": 5},
            },
            "cmw_meta_per_class: expected only with cmw_meta_set=low_loss or balanced",
        ),
        (
            {
                "methods": ["clean_added"],
                "overrides": {"clean_share": 0.5, "meta_batch_size": 20},
            },
            "clean_share: expected only without meta_batch_size, received it without effect",
        ),
        ({"overrides": {"meta_noise": "flip2"}}, "meta_noise: expected --meta_noise_rate with it"),
        (
            {"overrides": {"data_noise": "gaussian"}},
            "data_noise: expected --data_noise_rate with it",
        ),
        ({"overrides": {"open_set": "cifar100"}}, "open_set: expected --open_set_rate with it"),
    ],
)
def test_command_lines_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        resolve(**{"recipe": "quickstart", "overrides": {}, **arguments})


def test_recipes_of_a_method_run_it():
    for start, method in (("l2rw_", "l2rw"), ("mentornet_", "mentornet_dd"), ("cmw_", "cmw_net")):
        recipes = [recipe for name, recipe in RECIPES.items() if name.startswith(start)]
        assert recipes and all(method in recipe.methods for recipe in recipes)


def test_the_flags_of_a_run_repeat_it_without_the_other_methods():
    both = resolve("quickstart", {"gce_q": 0.3, "epochs": 5}, ["gce", "cross_entropy"])
    assert "--gce_q=0.3" in both.flags("gce", 0).split()
    assert both.flags("cross_entropy", 0).split()[3:] == ["--epochs=5"]
    tuned = resolve("quickstart", {"fine_tuning_epochs": 2, "meta_batch_size": 10}, ["gce"])
    assert "--meta_batch_size=10" in tuned.flags("gce", 0).split()


def test_settings_of_another_optimizer_are_refused_where_the_data_chose_it(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    np.savez(tmp_path / "table.npz", x=x, y=y)
    with pytest.raises(ValueError, match="momentum: expected --optimizer=sgd with it"):
        resolve(None, {"dataset": str(tmp_path / "table.npz"), "momentum": 0.5})
