"""Compares the cost of a training step with plain Keras training of the same network.

Times every combination of the settings given as lists. The images are synthetic. All cases run in
one process, and each takes one step in turn. Reports milliseconds, the ratios to a step of
keras.Model.fit and to this package's own plain step (same network, batch size, precision and
devices), the time of the first step, and what reading the training stream adds. --memory adds the
memory of training above that of the built model, measured in a process for each case. --peer times
a step of any other program in turn.

    python -m launch.benchmark --suite=readme
    python -m launch.benchmark --method=l2rw,gce --network=resnet20 --rounds=30
    python -m launch.benchmark --peer="python their_step.py"
"""

from absl import flags

from tf_mwn.benchmark import peer, plan
from tf_mwn.files import check_output, write_json
from tf_mwn.launch.command_line import Path, fail, listed, mistakes, start
from tf_mwn.launch.help import group
from tf_mwn.messages import quiet_start
from tf_mwn.options import Option
from tf_mwn.recipes import listing
from tf_mwn.settings.config import SETTINGS

_METHOD = flags.DEFINE_list(
    "method", ["meta_weight_net"], "Methods to measure, or all. --method=list shows all methods."
)
_SUITE = flags.DEFINE_enum(
    "suite",
    None,
    list(plan.SUITES),
    "A named list of methods with their settings, in place of --method. readme is the table of "
    "costs in README.md.",
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 7, "Number of timed steps of each case. The steps of the cases alternate.", 1
)
_IMAGE_SIZE = flags.DEFINE_integer("image_size", 32, "Height and width of the synthetic images.", 8)
_NUM_CLASSES = flags.DEFINE_integer("num_classes", 10, "Number of classes.", 2)
_STALL = flags.DEFINE_bool(
    "stall",
    None,
    "Measure what reading the training stream adds. On by default, but not with --suite, whose "
    "steps are so long that it adds next to nothing.",
)
_MEMORY = flags.DEFINE_bool("memory", False, "Measure memory too. Linux only.")
_PEER = flags.DEFINE_multi_string(
    "peer",
    [],
    "A command whose steps are timed in turn. It reads lines 'steps N' and answers each with a "
    "line: the milliseconds that N training steps took. May be given several times.",
)
_DETERMINISTIC = flags.DEFINE_bool("deterministic", True, "Use deterministic operations.")
_OUTPUT = flags.DEFINE(Path(), "output", None, "JSON file for the measured rows.")
_FIGURE = flags.DEFINE(Path(), "figure", None, "PNG file for a figure of the ratios.")


def _define(option: Option) -> flags.FlagHolder:
    """The list flag of a setting; every combination of values is measured."""
    text = option.description
    if option.name == "meta_batch_size":
        text = "Meta batch size: a number, same (as the batch size) or half (of it)."
    default = [
        str(value).lower() if value is True or value is False else str(value)
        for value in plan.DEFAULTS[option.name]
    ]
    return flags.DEFINE_list(option.name, default, text)


_SETTINGS = {name: _define(SETTINGS[name]) for name in plan.AXES}
group("Settings (every combination of the values is measured)", *_SETTINGS.values())


def main(argv: list[str]) -> None:
    del argv
    if listed(_METHOD.value):
        return
    with mistakes():
        _check_files()
        cases, peers = _cases(), [peer.PeerCase(command) for command in _PEER.value]
        with quiet_start():
            from tf_mwn.benchmark import cost, report
            from tf_mwn.runs.devices import strategies

            devices = strategies({case.config.devices for case in cases}, _DETERMINISTIC.value)
        images = plan.Images(_IMAGE_SIZE.value, _NUM_CLASSES.value)
        try:
            stall = _SUITE.value is None if _STALL.value is None else _STALL.value
            costs = cost.measure(cases, _ROUNDS.value, images, devices, stall, _MEMORY.value, peers)
        except plan.StepError as error:
            fail(error, code=2)
        except KeyboardInterrupt:
            fail("interrupted; nothing is written", code=2)
        print(f"{_ROUNDS.value} interleaved rounds, {report.table(costs)}")
        _write(costs)


def _cases() -> list[plan.Case]:
    """The cases that the command line describes, checked."""
    values = {name: plan.parsed(name, flag.value) for name, flag in _SETTINGS.items()}
    if _SUITE.value is None:
        return plan.combinations(_methods(), values)
    for flag in (_METHOD, *(_SETTINGS[name] for name in plan.OWN)):
        if flag.present:
            raise ValueError(
                f"{flag.name}: expected no such flag with --suite, which decides it, "
                f"received {flag.value}"
            )
    return plan.suite(_SUITE.value, values)


def _methods() -> list[str]:
    if not _METHOD.value:
        raise ValueError("method: expected at least one, received none")
    return list(listing.METHODS) if _METHOD.value == ["all"] else _METHOD.value


def _check_files() -> None:
    """Refuses output files that cannot be written, before anything is measured."""
    for flag in (_OUTPUT, _FIGURE):
        check_output(flag.name, flag.value)


def _write(costs) -> None:
    from tf_mwn.benchmark import report
    from tf_mwn.monitoring import figures

    if _OUTPUT.value:
        write_json(_OUTPUT.value, [cost.to_json() for cost in costs], indent=1)
        print(_OUTPUT.value)
    if _FIGURE.value:
        figure = figures.ratio_bars(report.bars(costs), "Cost of a training step")
        with open(_FIGURE.value, "wb") as file:
            file.write(figures.png(figure))
        print(_FIGURE.value)


if __name__ == "__main__":
    start(main)
