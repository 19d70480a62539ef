"""Settings, recipes and what a command line may ask for."""

import pytest

from tf_mwn.recipes.experiment import resolve
from tf_mwn.settings.config import SETTINGS, Config, completed


def test_defaults_are_valid_and_documented():
    Config()
    for option in SETTINGS.values():
        assert len(option.help) > 5, option.name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_rate": 1.5}, r"noise_rate: expected a value in \[0, 1\], received 1.5"),
        ({"noise_rate": -0.1}, r"noise_rate: expected a value in \[0, 1\], received -0.1"),
        ({"imbalance_factor": 0.5}, r"imbalance_factor: expected a value in \[1, inf\)"),
        ({"epochs": 0}, r"epochs: expected a value in \[1, inf\), received 0"),
        ({"batch_size": -5}, r"batch_size: expected a value in \[1, inf\)"),
        ({"learning_rate": 0.0}, r"learning_rate: expected a value in \(0, inf\)"),
        ({"meta_size": -1}, r"meta_size: expected a value in \[0, inf\), received -1"),
        ({"network": "resnet31"}, "did you mean 'resnet32'"),
        ({"noise": "unifrom"}, "did you mean 'uniform'"),
        ({"weight_normalization": "mean"}, "expected one of none, sum, sum_detached"),
        ({"weight_net_units": (10, 0)}, r"weight_net_units: expected a value in \[1, inf\)"),
        ({"devices": 2}, "pass --strategy=mirrored"),
    ],
)
def test_values_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 1.5}, "epochs: expected int, received 1.5"),
        ({"epochs": True}, "epochs: expected int, received True"),
        ({"nesterov": "yes"}, "nesterov: expected bool, received 'yes'"),
        ({"weight_net_units": 100}, "weight_net_units: expected a list, received 100"),
    ],
)
def test_values_of_a_wrong_kind(settings, message):
    with pytest.raises(TypeError, match=message):
        Config(**settings)


def test_files_that_settings_name_count_with_their_content(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("one")
    first = Config(trajectory=str(file)).file_digests()
    file.write_text("two")
    second = Config(trajectory=str(file)).file_digests()
    assert set(first) == set(second) == {"trajectory"} and first != second
    assert Config(network_weights="imagenet").file_digests() == Config().file_digests() == {}


@pytest.mark.parametrize(
    ("overrides", "rate"),
    [
        ({}, 0.1),
        ({"optimizer": "sgd"}, 0.1),
        ({"optimizer": "adam"}, 1e-3),
        ({"optimizer": "adamw", "learning_rate": 0.01}, 0.01),
    ],
)
def test_an_optimizer_brings_its_learning_rate(overrides, rate):
    assert resolve("quickstart", overrides).config.learning_rate == rate


def test_what_only_sgd_reads_is_refused_with_another_optimizer():
    with pytest.raises(ValueError, match="momentum: expected --optimizer=sgd .* received adam"):
        resolve("quickstart", {"optimizer": "adam", "momentum": 0.5})
    with pytest.raises(
        ValueError, match="virtual_step: expected 'optimizer' only with --optimizer=sgd"
    ):
        Config(optimizer="adamw", virtual_step="optimizer")


def test_settings_of_an_older_version_are_completed():
    now = completed(Config().to_json())
    old = {k: v for k, v in now.items() if k not in ("optimizer", "meta_fraction")}
    assert now["virtual_step"] == "plain" and completed(old) == now
    assert completed(Config(optimizer="adam").to_json())["virtual_step"] == "preconditioned"


def test_a_run_from_before_fused_batch_norm_goes_on_without_it():
    def recorded(network, **settings):
        settings = {**Config(network=network).to_json(), **settings}
        del settings["fused_batch_norm"]
        return settings

    assert completed(recorded("resnet20"))["fused_batch_norm"] == "off"
    assert completed(Config(network="resnet20").to_json())["fused_batch_norm"] == "auto"
    # A network without batch norm is the same network either way.
    assert completed(recorded("mlp")) == completed(Config(network="mlp").to_json())
