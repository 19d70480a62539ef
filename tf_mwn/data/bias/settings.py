"""The settings of a data bias, checked on their own before any data is loaded."""

from collections.abc import Iterator

from tf_mwn.checks import AT_LEAST_ONE, NON_NEGATIVE, UNIT, Interval
from tf_mwn.data.bias.data_noise import DATA_NOISE_KINDS
from tf_mwn.data.bias.imbalance import IMBALANCE_KINDS
from tf_mwn.data.bias.noise import FEATURE_KINDS, META_NOISE_KINDS, NOISE_KINDS, NOISE_SAMPLINGS
from tf_mwn.options import Option, settings_class

OPTIONS = (
    Option("noise", "none", tuple(NOISE_KINDS), "Kind of label noise in the training part."),
    Option(
        "noise_rate",
        0.0,
        UNIT,
        "Nominal rate of the label noise. The data card has the realised one.",
    ),
    Option(
        "imbalance", "long_tailed", IMBALANCE_KINDS, "Kind of class imbalance in the training part."
    ),
    Option(
        "imbalance_factor",
        1.0,
        AT_LEAST_ONE,
        "Largest over smallest class count in the training part. 1 leaves the classes as they are.",
    ),
    Option(
        "label_file",
        None,
        None,
        "File of the labels to train on, in place of synthetic noise.",
        kind=str,
        is_path=True,
    ),
    Option(
        "meta_size",
        100,
        NON_NEGATIVE,
        "Number of meta examples, over all classes. 0 for methods that need no meta set.",
    ),
    Option(
        "validation_size",
        0,
        NON_NEGATIVE,
        "Number of examples held out of the biased training part for model selection.",
    ),
    Option(
        "validation_labels",
        "noisy",
        ("noisy", "clean"),
        "Labels of the validation part. noisy: biased like the training part. clean: clean "
        "labels and unaltered images.",
    ),
    Option(
        "train_size",
        None,
        AT_LEAST_ONE,
        "Number of training examples to keep before the imbalance is made. By default all.",
        kind=int,
    ),
    Option(
        "noise_sampling",
        "expected",
        NOISE_SAMPLINGS,
        "Whether the transition matrix holds in expectation, or exactly up to whole examples "
        "(in the training part and in the validation part, each by itself).",
    ),
    Option(
        "noise_matrix",
        None,
        None,
        "File of the transition matrix for --noise=matrix: C rows of C numbers.",
        kind=str,
        is_path=True,
    ),
    Option(
        "noise_probabilities",
        None,
        None,
        "File of class probabilities for --noise=feature1, feature2 or feature3. Without it "
        "the launcher trains a model on clean labels for them.",
        kind=str,
        is_path=True,
    ),
    Option(
        "noise_factor",
        None,
        Interval(1e-6),
        "Published factor of --noise=feature1, feature2 or feature3, in place of --noise_rate.",
        kind=float,
    ),
    Option(
        "noise_target",
        None,
        NON_NEGATIVE,
        "Class to which --noise=background moves labels. By default the seed draws it.",
        kind=int,
    ),
    Option(
        "open_set",
        None,
        None,
        "Name or path of a source whose images replace some of the training images.",
        kind=str,
        is_path=True,
    ),
    Option("open_set_rate", 0.0, UNIT, "Fraction of the training images that --open_set replaces."),
    Option(
        "data_noise",
        "none",
        tuple(DATA_NOISE_KINDS),
        "How some of the training images are altered.",
    ),
    Option(
        "data_noise_rate", 0.0, UNIT, "Fraction of the training images that --data_noise alters."
    ),
    Option("meta_noise", "none", tuple(META_NOISE_KINDS), "Kind of label noise in the meta set."),
    Option("meta_noise_rate", 0.0, UNIT, "Nominal rate of the label noise in the meta set."),
    Option(
        "meta_imbalance_factor",
        1.0,
        AT_LEAST_ONE,
        "Largest over smallest class share in the meta set. 1 is balanced.",
    ),
)


class BiasSettings(settings_class("BiasOptions", OPTIONS)):
    """How a source is biased; `OPTIONS` says what each setting means.

    Raises:
        TypeError, ValueError: a value out of range, or settings that exclude each other.
    """

    def __post_init__(self):
        super().__post_init__()
        for name, clash, expected, received in _combinations(self):
            if clash:
                raise ValueError(f"{name}: expected {expected}, received {received}")


def _combinations(s: BiasSettings) -> Iterator[tuple[str, bool, str, str]]:
    """Yields for each rule between settings: name, whether it is broken, expected, received."""
    noise, rate = f"--noise={s.noise}", f"{s.noise_rate:g}"
    matrix, kinds = "matrix" == s.noise, f"--noise={' or '.join(FEATURE_KINDS)} with it"
    for name, fits, needs in (
        ("label_file", s.noise == "none", "--noise=none with it"),
        ("noise_matrix", matrix, "--noise=matrix with it"),
        ("noise_probabilities", s.noise in FEATURE_KINDS, kinds),
        ("noise_factor", s.noise in FEATURE_KINDS, kinds),
        ("noise_target", "background" in (s.noise, s.meta_noise), "--noise=background with it"),
    ):
        yield name, getattr(s, name) is not None and not fits, needs, noise
    for name in ("noise", "data_noise", "meta_noise", "open_set"):
        part, kind = getattr(s, f"{name}_rate"), getattr(s, name)
        yield (
            f"{name}_rate",
            part > 0 and kind in ("none", None),
            f"0 without --{name}",
            f"{part:g}",
        )
    yield "noise_matrix", matrix and s.noise_matrix is None, "a file with --noise=matrix", "none"
    own = "0 with --noise=matrix, whose file holds the rates"
    yield "noise_rate", matrix and s.noise_rate > 0, own, rate
    factor = s.noise_factor is not None
    yield "noise_rate", factor and s.noise_rate > 0, "0 with --noise_factor", rate
    altered = s.open_set_rate + s.data_noise_rate
    yield "open_set_rate", altered > 1, "at most 1 with --data_noise_rate added", f"{altered:g}"
    drawn = NOISE_KINDS[s.noise].matrix is not None and (s.noise, s.meta_noise) != ("none", "none")
    exact = s.noise_sampling == "exact"
    yield "noise_sampling", exact and not drawn, "a --noise with a transition matrix", noise
    empty = s.validation_labels == "clean" and s.validation_size == 0
    yield "validation_size", empty, "a size above 0 with --validation_labels=clean", "0"
    alone, factor = s.meta_size == 0, s.meta_imbalance_factor
    yield "meta_noise", alone and s.meta_noise != "none", "none with --meta_size=0", s.meta_noise
    yield "meta_imbalance_factor", alone and factor > 1, "1 with --meta_size=0", f"{factor:g}"
