"""The measured costs as a table, and as the bars of a figure."""

from collections.abc import Sequence

from tf_mwn.benchmark.cost import StepCost
from tf_mwn.benchmark.plan import COMMON
from tf_mwn.tables import number, text_table


def table(costs: Sequence[StepCost]) -> str:
    """The settings that all cases share, then a row per case. A dash means not measured."""
    alike, unlike = _common(costs)
    columns = {"step": [cost.case.name for cost in costs]}
    for name in unlike:
        columns[name] = [_text(cost.case.settings.get(name)) for cost in costs]
    columns["ms"] = [f"{cost.milliseconds:.1f}" for cost in costs]
    columns["x Keras"] = [f"{cost.keras_ratio:.2f}" for cost in costs]
    columns["x plain"] = [f"{cost.ratio:.2f}" for cost in costs]
    columns["first step"] = [f"{cost.tracing_seconds:.1f} s" for cost in costs]
    columns["stall"] = [number(cost.stall, ".1%") for cost in costs]
    if any(cost.megabytes is not None for cost in costs):
        columns["MB"] = [number(cost.megabytes, ".0f") for cost in costs]
        columns["x Keras' MB"] = [number(cost.memory_ratio, ".2f") for cost in costs]
    header = ", ".join(f"{name} {value}" for name, value in alike.items())
    return f"{header}\n{text_table(list(columns), list(zip(*columns.values(), strict=True)))}"


def bars(costs: Sequence[StepCost]) -> dict[str, dict[str, float | None]]:
    """The ratios of each case to plain Keras training, for time and memory."""
    unlike = _common(costs)[1]
    shown = {}
    for cost in costs:
        common = [f"{name}={_text(cost.case.settings.get(name))}" for name in unlike]
        ratios = {"time": cost.keras_ratio, "memory": cost.memory_ratio}
        shown["\n".join([cost.case.name, *common])] = ratios
    return shown


def _common(costs: Sequence[StepCost]) -> tuple[dict[str, object], list[str]]:
    """The common settings that are equal in all cases that have them, and names of the others."""
    values = {name: [cost.case.settings.get(name) for cost in costs] for name in COMMON}
    known = {
        name: {value for value in given if value is not None} for name, given in values.items()
    }
    alike = {name: given.pop() for name, given in known.items() if len(given) == 1}
    return alike, [name for name in COMMON if name not in alike]


def _text(value: object) -> str:
    return "-" if value is None else str(value)
