"""The claims, one entry each."""

from collections.abc import Sequence

import numpy as np

from tf_mwn.checks import unknown_name
from tf_mwn.reproduction.claims import Claim
from tf_mwn.reproduction.evidence import (
    Condition,
    Configuration,
    DeviationRatio,
    Evidence,
    Measure,
    Paired,
    Spread,
    Studied,
)
from tf_mwn.runs.run import Run
from tf_mwn.search.study_plan import FINAL, JOINT, SEARCHED

_CLEAN = {"noise": "none", "noise_rate": 0.0}
_FLIP = Condition("digits, 40 % flip2 noise", "quickstart")
_UNIFORM = Condition(
    "digits, 60 % uniform noise", "quickstart", {"noise": "uniform", "noise_rate": 0.6}
)
_TAIL = Condition(
    "digits, long tail of factor 20", "quickstart", {**_CLEAN, "imbalance_factor": 20.0}
)
_CORRECT = Condition("digits, correct labels", "quickstart", _CLEAN)
_RANDOM = Condition(
    "digits, all labels drawn at random",
    "quickstart",
    {"noise": "uniform", "noise_rate": 1.0, "weight_decay": 0.0},
)
_NOISY = (_FLIP, _UNIFORM)
_NOISY_FASHION = (
    Condition("Fashion-MNIST, 40 % flip2 noise", "fashion_flip2_40"),
    Condition("Fashion-MNIST, 60 % uniform noise", "fashion_uniform_60"),
)
_TAIL_FASHION = (Condition("Fashion-MNIST, long tail of factor 100", "fashion_longtail_100"),)

_MWN, _BASE, _L2RW = "meta_weight_net", "cross_entropy", "l2rw"
_POINTS = "points of test accuracy"
# A method matches another one if it is at most this far below, in points.
_MATCH = 1.0


def _accuracy(run: Run) -> float:
    """Last-epoch test accuracy in %."""
    return 100 * run.results["last_epoch_accuracy"]


def _noise_auc(run: Run) -> float | None:
    return run.results["noise_auc"]


def _memorised(run: Run) -> float | None:
    return run.results["memorised"]


def _weight_rise(run: Run) -> float:
    """By how much the mean weight rises from the smallest to the largest tenth of the losses.

    In units of the mean weight of all examples.
    """
    losses, weights = (run.weights()[name] for name in ("loss", "weight"))
    order, tenth = np.argsort(losses, kind="stable"), max(1, len(losses) // 10)
    rise = weights[order[-tenth:]].mean() - weights[order[:tenth]].mean()
    return float(rise / weights.mean())


def _weight_variation(run: Run) -> float | None:
    """Mean change of the weights per epoch, over the second half of the epochs; mean weight 1."""
    changes = run.metrics().get("weight_change")
    return None if changes is None else float(np.mean(changes[len(changes) // 2 :]))


def _meta_gap(run: Run) -> float:
    """Accuracy on the meta images minus that on the test images at the last epoch, in points."""
    metrics = run.metrics()
    return float(100 * (metrics["meta_accuracy"][-1] - metrics["test_accuracy"][-1]))


def _under(
    conditions: Sequence[Condition],
    label: str,
    unit: str,
    measure: Measure,
    first: str,
    second: str | None = None,
    **options,
) -> tuple[Evidence, ...]:
    """The same measure of a method, or comparison of two, under each of the conditions."""
    return tuple(
        Paired(
            f"{condition.title}: {label}",
            unit,
            measure=measure,
            first=Configuration(condition, first),
            second=None if second is None else Configuration(condition, second),
            **options,
        )
        for condition in conditions
    )


def _beats(conditions: Sequence[Condition], rivals: Sequence[str]) -> tuple[Evidence, ...]:
    return tuple(
        evidence
        for condition in conditions
        for rival in rivals
        for evidence in _under([condition], f"{_MWN} - {rival}", _POINTS, _accuracy, _MWN, rival)
    )


def _rises(conditions: Sequence[Condition], above: bool) -> tuple[Evidence, ...]:
    label = "weight of large losses - of small ones"
    return _under(conditions, label, "mean weights", _weight_rise, _MWN, above=above)


def _meta_set(label: str, better: dict, worse: dict) -> Evidence:
    return Paired(
        f"{_FLIP.title}: {label}",
        _POINTS,
        measure=_accuracy,
        first=Configuration(_FLIP, _MWN, better),
        second=Configuration(_FLIP, _MWN, worse),
    )


def _meta_noise(rate: float) -> Evidence:
    noisy = {"meta_noise": "uniform", "meta_noise_rate": rate}
    return _meta_set(f"correct meta labels - {rate:.0%} uniform meta noise", {}, noisy)


_NETS = tuple(
    Configuration(_FLIP, _MWN, {"weight_net_units": units})
    for units in ((50,), (100,), (200,), (100, 100), (10, 10))
)
_CROSS_ENTROPY = Configuration(_CORRECT, _BASE)
_STUDY = {"condition": _FLIP, "method": "adaptive_gce"}
# The claims that are not measured on Fashion-MNIST.
_FIXED = (
    Claim(
        "c",
        "The learned weighting function falls with the loss under label noise and rises with "
        "it under class imbalance.",
        (*_rises(_NOISY, above=False), *_rises([_TAIL], above=True)),
        note="Weights of the last epoch: mean of the tenth of the training examples with the "
        "largest losses minus that of the tenth with the smallest, in mean weights.",
    ),
    Claim(
        "d",
        "Wrong labels get smaller weights than correct ones.",
        _under(
            _NOISY, "AUC of small weights for wrong labels", "AUC", _noise_auc, _MWN, threshold=0.5
        ),
    ),
    Claim(
        "e",
        "From epoch to epoch the weights of Meta-Weight-Net vary far less than those of L2RW.",
        _under(
            _NOISY,
            f"variation of {_MWN} / of {_L2RW}",
            "ratio",
            _weight_variation,
            _MWN,
            _L2RW,
            ratio=True,
            threshold=0.2,
            above=False,
        ),
        note="Variation: mean absolute change of an example's weight from epoch to epoch, "
        "weights divided by their mean, over the second half of the training. Far less: at "
        "most a fifth.",
    ),
    Claim(
        "f",
        "Accuracy is insensitive to the architecture of the weight net.",
        (
            Spread(
                f"{_FLIP.title}: deviation between five nets / over seeds",
                "ratio",
                measure=_accuracy,
                configurations=_NETS,
                threshold=1.0,
                above=False,
            ),
        ),
        note="1-50-1, 1-100-1, 1-200-1, 1-100-100-1 and 1-10-10-1. Insensitive: another net "
        "changes the accuracy less than another seed, as standard deviations of a two-way "
        "random-effects model: all nets have the same seeds.",
    ),
    Claim(
        "g",
        "Meta-learned hyper-parameters match or beat the best of a search, at a fraction of "
        "its cost.",
        (
            Studied(
                f"{_FLIP.title}: adaptive_gce - best of a grid over q",
                _POINTS,
                **_STUDY,
                first=JOINT,
                second=SEARCHED,
                threshold=-_MATCH,
            ),
            Studied(
                f"{_FLIP.title}: cost of adaptive_gce / of the search",
                "ratio",
                **_STUDY,
                first=JOINT,
                second=SEARCHED,
                ratio=True,
                threshold=1.0,
                above=False,
            ),
        ),
        note="Matches: not more than one point below. Cost: forward passes, counted.",
    ),
    Claim(
        "h",
        "The learned final hyper-parameters, fixed from the start, are worse than learning "
        "them along the way.",
        (
            Studied(
                f"{_FLIP.title}: final q fixed - learned jointly",
                _POINTS,
                **_STUDY,
                first=FINAL,
                second=JOINT,
                above=False,
            ),
        ),
    ),
    Claim(
        "i",
        "Networks fit random labels.",
        _under([_RANDOM], "wrong labels reproduced", "fraction", _memorised, _BASE, threshold=0.9),
        note="Cross-entropy on uniform noise of rate 1 without weight decay; fitted: nine "
        "wrong labels of ten are reproduced.",
    ),
    Claim(
        "j",
        "A free weight per example overfits the meta set where Meta-Weight-Net does not.",
        _under(
            _NOISY,
            f"gap of {_L2RW} - gap of {_MWN}",
            "points, meta - test",
            _meta_gap,
            _L2RW,
            _MWN,
        ),
        note="L2RW stands for a free weight per example. Gap: accuracy on the meta images "
        "minus on the test images at the last epoch.",
    ),
    Claim(
        "k",
        "A larger and a cleaner meta set gives a better accuracy.",
        (
            _meta_set("50 - 10 meta images", {"meta_size": 50}, {"meta_size": 10}),
            _meta_set("200 - 10 meta images", {"meta_size": 200}, {"meta_size": 10}),
            *(_meta_noise(rate) for rate in (0.2, 0.4, 0.6)),
        ),
    ),
    Claim(
        "l",
        "Robust losses are not convex: the spread over initialisations is larger than that "
        "of cross-entropy.",
        tuple(
            DeviationRatio(
                f"{_CORRECT.title}: deviation of {name} / of {_BASE}",
                "ratio",
                measure=_accuracy,
                first=configuration,
                second=_CROSS_ENTROPY,
                threshold=1.0,
            )
            for name, configuration in (
                ("mae", Configuration(_CORRECT, "mae")),
                ("gce, q = 0.9", Configuration(_CORRECT, "gce", {"gce_q": 0.9})),
            )
        ),
        least_seeds=10,
        note="Over at least ten seeds, which decide the initialisation, the order of the "
        "batches and the split; labels are correct, so that no noise is drawn.",
    ),
)


def claims(with_fashion: bool = False) -> dict[str, Claim]:
    """The claims by key.

    Args:
        with_fashion: whether Fashion-MNIST is available. If so, "a" and "b" are measured on it too.
    """
    noisy = _NOISY + (_NOISY_FASHION if with_fashion else ())
    tails = (_TAIL,) + (_TAIL_FASHION if with_fashion else ())
    found = (
        Claim(
            "a",
            "Under label noise Meta-Weight-Net beats cross-entropy, focal loss and L2RW.",
            _beats(noisy, (_BASE, "focal", _L2RW)),
        ),
        Claim(
            "b",
            "Under class imbalance Meta-Weight-Net beats cross-entropy and focal loss.",
            _beats(tails, (_BASE, "focal")),
        ),
        *_FIXED,
    )
    return {claim.key: claim for claim in found}


def select(keys: list[str], with_fashion: bool = False) -> list[Claim]:
    """The claims with these keys, each once; all claims for ["all"].

    Raises:
        ValueError: a key is not known; the message names the valid keys.
    """
    known = claims(with_fashion)
    if keys == ["all"]:
        return list(known.values())
    for key in keys:
        if key not in known:
            raise ValueError(unknown_name("claim", key, known))
    return [known[key] for key in dict.fromkeys(keys)]
