"""Search spaces: what a user may write, and the usual values of the settings."""

import pytest

from tf_mwn.methods import registry
from tf_mwn.options import LOG_CLASSES
from tf_mwn.recipes.experiment import resolve
from tf_mwn.search.space import Domain, default_space, parse_space
from tf_mwn.settings.config import SETTINGS, Config


def test_spaces_as_a_user_writes_them():
    texts = [
        "gce_q=0.1|0.5",
        "learning_rate=0.01:1:log",
        "batch_size=32:128",
        "nesterov=true|false",
    ]
    assert parse_space(
        [*texts, "poly_soft_lambda=lnC|3", "network=mlp|small_cnn", "focal_gamma"]
    ) == (
        Domain("gce_q", (0.1, 0.5)),
        Domain("learning_rate", low=0.01, high=1.0, log=True),
        Domain("batch_size", low=32, high=128),
        Domain("nesterov", (True, False)),
        Domain("poly_soft_lambda", (LOG_CLASSES, 3.0)),
        Domain("network", ("mlp", "small_cnn")),
        Domain("focal_gamma", SETTINGS["focal_gamma"].grid),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gce_p=0.1", "did you mean 'gce_q'"),
        ("learning_rte", "did you mean 'learning_rate'"),
        ("0.7", "or NAME alone for the usual values, received '0.7'"),
        ("momentum", "received momentum alone, which has no usual values"),
        ("gce_q=", "expected float values for gce_q, received ''"),
        ("gce_q=0.1|x", "expected float values for gce_q, received 'x'"),
        ("gce_q=0.1|nan", "expected float values for gce_q, received 'nan'"),
        ("batch_size=0.5", "expected int values"),
        ("nesterov=yes", "received 'yes'"),
        ("gce_q=0.9:0.1", "expected LOW below HIGH"),
        ("gce_q=0.1:0.9:lin", "received 0.1:0.9:lin"),
        ("weight_decay=0:1:log", "expected LOW above 0"),
        ("gce_q=0.1|0.1", "each value of gce_q once"),
        ("noise_rate=0.1|0.2", "pass it as --noise_rate"),
        ("meta_size=10|20", "pass it as --meta_size"),
        ("meta=a.npz|b.npz", "pass it as --meta"),
        ("devices=1|2", "pass it as --devices"),
        ("decay_epochs=1|2", "the list decay_epochs"),
    ],
)
def test_spaces_that_are_refused(text, message):
    with pytest.raises(ValueError, match="space: ") as error:
        parse_space([text])
    assert message in str(error.value)


def usual_space(method, given=(), **settings):
    return default_space(registry.find(method), vars(Config(**settings)), given)


def test_what_has_no_effect_is_not_searched():
    assert [d.name for d in usual_space("d2l")] == ["learning_rate"]
    named = [d.name for d in usual_space("d2l", d2l_first_loss="sce")]
    assert named == ["sce_alpha", "sce_beta"]
    with pytest.raises(ValueError, match="space: .* nothing of d2l is left to search"):
        usual_space("d2l", ("learning_rate",))


@pytest.mark.parametrize("name", registry.METHODS)
def test_every_usual_space_has_an_effect(name):
    """Without settings of the user, `resolve` refuses what has none."""
    wanted = {"noise": "uniform", "noise_rate": 0.2}
    wanted |= {domain.name: domain.of_classes(10).values[0] for domain in usual_space(name)}
    resolve("quickstart", wanted, [name])


def test_usual_values_are_those_of_the_papers():
    spaces = {
        method: {d.name: d.values for d in usual_space(method)}
        for method in ("gce", "sce", "bi_tempered", "poly_soft", "focal", "self_paced", "mae")
    }
    assert spaces == {
        "gce": {"gce_q": (0.1, 0.3, 0.5, 0.7, 0.9)},
        "sce": {"sce_alpha": (0.1, 1.0, 6.0), "sce_beta": (0.1, 1.0)},
        "bi_tempered": {
            "bi_tempered_t1": (0.5, 0.7, 0.8, 0.9),
            "bi_tempered_t2": (1.1, 1.2, 1.5, 2.0),
        },
        "poly_soft": {"poly_soft_lambda": ("lnC", 3.0, 5.0, 10.0), "poly_soft_d": (1.5, 2.0, 3.0)},
        "focal": {"focal_gamma": (0.5, 1.0, 2.0)},
        "self_paced": {"self_paced_fraction": (0.5, 0.7, 0.9)},
        "mae": {"learning_rate": (0.01, 0.03, 0.1, 0.3)},
    }


@pytest.mark.parametrize("name", [n for n, option in SETTINGS.items() if option.grid])
def test_every_usual_value_is_one_that_the_setting_may_have(name):
    for value in Domain(name, SETTINGS[name].grid).of_classes(10).values:
        assert getattr(Config(**{name: value}), name) == value
