"""Plans of sweeps: what is searched, what is refused, and the folder that follows from both."""

import pytest

from tests.search.tiny_sweeps import plan
from tf_mwn.search.sweep_plan import SweepPlan


def test_a_setting_given_as_a_flag_is_not_searched():
    chosen = plan(method="sce", settings={"sce_alpha": 6.0})
    assert [domain.name for domain in chosen.space] == ["sce_beta"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "meta_weight_net"}, "a method that trains on the meta images, received meta"),
        ({"objective": "validation"}, "expected --validation_size above 0"),
        ({"space": ["sce_alpha=1|6"]}, "no effect on gce; it is an option of"),
        ({"space": ["gce_q=0.5|1.5"]}, "gce_q: expected a value in (0, 1], received 1.5"),
        ({"space": ["gce_q=0.1:0.9"]}, "search=grid: expected values A|B|C"),
        ({"space": ["gce_q"], "settings": {"gce_q": 0.3}}, "received both"),
        (
            {"space": ["epochs=1|2"], "search": "hyperband"},
            "expected no epochs with --search=hyperband",
        ),
        ({"seed": 1}, "seed: expected 0 with --search=grid"),
        ({"search": "hyperband", "max_trials": 3}, "max_trials: expected none"),
        ({"seeds": (0, 0)}, "seed: expected each once"),
    ],
)
def test_plans_that_are_refused(options, message):
    space = options.pop("space", ())
    with pytest.raises(ValueError) as error:
        plan(*space, **options)
    assert message in str(error.value)


def test_one_method_is_searched():
    for methods in (None, ["gce", "sce"]):
        with pytest.raises(ValueError, match="method: expected one"):
            SweepPlan.make("quickstart", {}, methods, (0,))


def test_whatever_decides_the_trials_is_in_the_folder():
    different = [
        plan(),
        plan("gce_q=0.1|0.3"),
        plan("gce_q=0.1|0.3|0.5"),
        plan("learning_rate=0.1|0.3"),
        plan(settings={"momentum": 0.5}),
        plan(epoch="best"),
        plan(seeds=(0, 1)),
        plan(search="random"),
        plan(search="random", seed=1),
        plan(settings={"validation_size": 50}),
        plan(settings={"validation_size": 50}, objective="validation"),
        plan(method="truncated_gce"),
    ]
    folders = [chosen.folder for chosen in different]
    assert len(set(folders)) == len(folders)
    assert plan(max_trials=2).folder == plan().folder  # more trials go on in the same place
