"""The texts of `--recipe=list` and `--method=list`. Does not import TensorFlow."""

from tf_mwn.methods.registry import METHODS, Method
from tf_mwn.recipes.experiment import RECIPES, Experiment
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.settings.config import Config

_DEFAULTS = vars(Config())


def recipes() -> str:
    """Every recipe, by group, with its source, the number it should reach and its cost."""
    blocks = []
    for group in dict.fromkeys(recipe.group for recipe in RECIPES.values()):
        blocks.append(f"== {group} ==")
        blocks += [_recipe(recipe) for recipe in RECIPES.values() if recipe.group == group]
    return "\n".join(blocks)


def _recipe(recipe: Recipe) -> str:
    return (
        f"{recipe.name}: {recipe.title}\n"
        f"    source    {recipe.source}\n"
        f"    expected  {recipe.expected}\n"
        f"    cost      {recipe.cost}\n"
        f"    methods   {', '.join(recipe.methods)}"
    )


def methods() -> str:
    """Every method with its title, what it needs and its options."""
    return "\n".join("\n".join(_method(method)) for method in METHODS.values())


def _method(method: Method) -> list[str]:
    options = " ".join(f"--{name}" for name in method.reads)
    return about(method) + ([f"    options  {options}"] if options else [])


def about(method: Method) -> list[str]:
    """Lines with the title, the paper, the needs and the cost of a method."""
    lines = [f"{method.name}: {method.title}", f"    paper    {method.paper}"]
    if method.needs_meta_set(_DEFAULTS):
        unless = f", unless --{method.file.name} is given" if method.file else ""
        lines.append(f"    needs    a meta set (--meta_size){unless}")
    return [*lines, f"    cost     {method.cost(_DEFAULTS)} a step"]


def _reasons(chosen: Experiment) -> list[str]:
    """Lines with the reasons of the settings that follow the data and are not overridden."""
    values = {"method": ",".join(chosen.methods), **vars(chosen.config)}
    return [
        f"  {name} = {value}: {why}"
        for name, value, why in chosen.recipe.reasons
        if values[name] == value
    ]


def experiment(chosen: Experiment) -> str:
    """The lines that are shown before the experiment runs."""
    recipe = chosen.recipe
    changed = chosen.config.differences(recipe.config)
    lines = [f"recipe {recipe.name}: {recipe.title}", f"  source: {recipe.source}"]
    if recipe.reasons:
        lines = [f"your data {recipe.title}", *_reasons(chosen)]
    elif chosen.facts is not None:
        lines = [f"your data {chosen.config.dataset}, with the settings of recipe {recipe.name}"]
    if changed:
        lines.append("  changed: " + ", ".join(f"{k} = {v}" for k, v in changed.items()))
    elif recipe.expected:
        lines.append(f"  expected: {recipe.expected}")
    seeds = ", ".join(map(str, chosen.seeds))
    return "\n".join([*lines, f"  methods: {', '.join(chosen.methods)}; seeds: {seeds}"])
