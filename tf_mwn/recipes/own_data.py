"""Settings that follow a user's data, each with its reason.

They look at what is known before any training (kind, size and number of the examples, and whether
there are clean ones), never at a result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tf_mwn.data.sources.facts import IMAGES, TABLE, TOKENS, DataFacts
from tf_mwn.data.sources.naming import short_name
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.short import SHORT_RUN
from tf_mwn.settings.config import Config

NAME = "own_data"
_BATCH = 100
_MANY_IMAGES = 20_000
_STEPS = 1500  # about as many as the short recipes take
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 60
# The method without clean examples and its options. Why: docs/data.md and docs/scikit_learn.md.
_NEVER_FAR_BEHIND: tuple[str, dict[str, Any]] = ("sce", {"logit_adjustment": 1.0})
WITHOUT_CLEAN = {IMAGES: ("elr", {}), TABLE: _NEVER_FAR_BEHIND, TOKENS: _NEVER_FAR_BEHIND}

Choice = tuple[str, Any, str]


def recipe_for(
    named: Mapping[str, Any], facts: DataFacts, methods: Iterable[str] | None = None
) -> Recipe:
    """The settings for a user's data.

    Args:
        named: settings that name the data: `dataset`, and perhaps `meta`, `label_column` and
            `meta_size`; and `epochs`, which the fall of the rate follows.
        facts: of the data.
        methods: those that the user asks for, or None. The options that belong to the chosen method
            are set for no other.
    """
    choices = list(_choices(facts, named.get("epochs") or _epochs(facts)))
    named = {name: value for name, value in named.items() if name != "epochs"}
    method, options, why = _method(facts, named.get("meta_size"))
    if methods is None or tuple(methods) == (method,):
        choices += options
    settings = {**SHORT_RUN, **{name: value for name, value, _ in choices}, **named}
    reasons = [("method", method, why), *(choice for choice in choices if choice[2])]
    return Recipe(
        group="your own data",
        name=NAME,
        title=describe(named["dataset"], facts),
        source="settings that follow the data",
        expected="",
        cost="",
        settings=settings,
        methods=(method,),
        reasons=tuple(reasons),
    )


def folder(config: Config) -> str:
    """The name of the folder of runs: that of the data, and of the clean examples apart."""
    named = [config.dataset, *([] if config.meta is None else [config.meta])]
    return "-".join(map(short_name, named))


def meta_set(facts: DataFacts) -> dict[str, Any]:
    """The settings of the meta set alone."""
    return {name: value for name, value, _ in _meta_set(facts)}


def for_clean_examples(counts: Sequence[int]) -> dict[str, Any]:
    """The settings of a meta set of clean examples apart, from their number in each class."""
    return {name: value for name, value, _ in _clean_examples(counts)}


def describe(dataset: str, facts: DataFacts) -> str:
    """The facts in one line."""
    what = {IMAGES: "images", TABLE: "rows", TOKENS: "sequences"}[facts.kind]
    clean = sum(facts.clean_counts)
    given = f"{clean} clean examples" if clean else "no clean examples"
    return (
        f"{dataset}: {facts.size} training {what} of {'x'.join(map(str, facts.shape))} in "
        f"{facts.classes} classes, {given}"
    )


def _method(facts: DataFacts, meta_size: int | None) -> tuple[str, list[Choice], str]:
    """The method, its options and why it is chosen."""
    if meta_size != 0 and facts.clean_counts:
        return "robust", [], "learns from the clean examples which others to trust"
    if meta_size or (meta_size is None and facts.clean_known):
        why = "learns which examples to trust from a meta set, cut from the training set"
        return "robust", [], why
    method, options = WITHOUT_CLEAN[facts.kind]
    rare = "all classes count alike, so that rare ones are found"
    why = (
        "needs no clean examples, and there are none. With some, robust learns which examples to "
        "trust, and an audit says how far to believe it. Give them by --meta=PATH, a folder meta/ "
        "or arrays x_meta and y_meta. `python -m launch.audit --run=RUN --ask=100` chooses a "
        "hundred for you to check"
    )
    return method, [(name, value, rare) for name, value in options.items()], why


def _choices(facts: DataFacts, epochs: int) -> Iterator[Choice]:
    """Settings with their values and reasons; an empty reason is not worth a line.

    The rate of images falls at parts of `epochs`.
    """
    yield from _meta_set(facts)
    yield from {IMAGES: _images, TABLE: _table, TOKENS: _tokens}[facts.kind](facts)
    yield "epochs", _epochs(facts), f"{_epochs(facts) * _steps(facts)} steps"
    if facts.kind == IMAGES:
        yield "decay_epochs", tuple(sorted({2 * epochs // 3, 5 * epochs // 6} - {0})), ""
    batch = _batch_size(facts)
    yield "batch_size", batch, "" if batch == _BATCH else "a tenth of the examples"


def _meta_set(facts: DataFacts) -> Iterator[Choice]:
    if facts.clean_counts:
        yield from _clean_examples(facts.clean_counts)
    else:
        yield "meta_size", 10 * facts.classes if facts.clean_known else 0, ""


def _clean_examples(counts: Sequence[int]) -> Iterator[Choice]:
    yield "meta_size", sum(counts), "all clean examples"
    if max(counts) - min(counts) > 1:
        why = f"the clean examples are unbalanced, {min(counts)} to {max(counts)} of a class"
        yield "meta_sampling", "by_class", why


def _images(facts: DataFacts) -> Iterator[Choice]:
    height, width, channels = facts.shape
    if facts.image_size is not None:
        yield "image_size", facts.image_size, ""
    if facts.size >= _MANY_IMAGES:
        why = "many images; a step of --network=small_cnn is far shorter"
        yield "network", "resnet32", why
    else:
        few = f"fewer than {_MANY_IMAGES} images"
        yield "network", "small_cnn", few + _pretrained(height, width, channels)
    if channels == 3 and min(height, width) >= 16:
        yield "augment", "crop_flip", "images in colour; a mirrored image has the same class"


def _pretrained(height: int, width: int, channels: int) -> str:
    if channels != 3 or min(height, width) < 32:
        return ""
    return (
        ". With pretrained weights you need fewer: --network=applications/MobileNetV2 "
        "--network_weights=imagenet"
    )


def _table(facts: DataFacts) -> Iterator[Choice]:
    yield "network", "mlp", "features"
    yield "optimizer", "adam", "the usual choice for tables"
    yield "learning_rate", 1e-3, ""


def _tokens(facts: DataFacts) -> Iterator[Choice]:
    yield "network", f"gru_{facts.vocabulary}", f"sequences of {facts.vocabulary} tokens"
    yield "optimizer", "adam", "recurrent networks need it"
    yield "learning_rate", 3e-3, ""
    yield "weight_decay", 0.0, ""


def _batch_size(facts: DataFacts) -> int:
    return min(_BATCH, max(facts.size // 10, 1))


def _steps(facts: DataFacts) -> int:
    """Steps of an epoch."""
    return max(facts.size // _batch_size(facts), 1)


def _epochs(facts: DataFacts) -> int:
    return min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS / _steps(facts))))
