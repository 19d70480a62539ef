"""What an audit would find of planted errors: by hand, by drawing them, and what follows."""

import numpy as np
import pytest
from scipy.special import log_softmax

import tf_mwn
from tests.auditing.wrong_labels import TRUE, X, Y, linear
from tf_mwn.auditing.reliability import Reliability, estimate_reliability
from tf_mwn.label_noise import transition

MATRIX = np.array([[0.7, 0.3], [0.2, 0.8]])
SHARES = np.array([0.6, 0.4])


def estimate(matrix, planted=None):
    return transition.Estimate(matrix, matrix if planted is None else planted, "meta set")


def test_two_examples_by_hand():
    """The first is judged right, whatever its label; the second is taken for class 0."""
    p, labels = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])
    found = estimate_reliability(np.log(p), labels, estimate(MATRIX), SHARES)
    # Label 0: 0.9 * 0.7 against 0.1 * 0.2, trusted. Label 1: 0.1 * 0.8 against 0.9 * 0.3, suspect,
    # with the suggestion 0. It is wrong for the first example (0.6 * 0.3), right for the second
    # (0.4 * 0.8).
    wrong, right = 0.18, 0.32
    assert found.precision == pytest.approx(wrong / (wrong + right))
    assert found.right_suggestions == found.precision
    less = estimate(MATRIX, np.array([[0.9, 0.1], [0.05, 0.95]]))
    found_of_less = estimate_reliability(np.log(p), labels, less, SHARES)
    assert found_of_less.precision == pytest.approx(0.6 * 0.1 / (0.6 * 0.1 + 0.4 * 0.95))
    assert found_of_less.noise_rate == pytest.approx(0.6 * 0.1 + 0.4 * 0.05)
    assert found.noise_rate == pytest.approx(0.6 * 0.3 + 0.4 * 0.2) and found.examples == 2
    share = wrong / (wrong + right)
    residuals = [wrong * (1 - share), -right * share]
    assert found.precision_error == pytest.approx(np.sqrt(2 * np.square(residuals).sum()) / 0.5)
    assert found.too_weak


def test_drawn_errors_agree():
    rng = np.random.default_rng(0)
    matrix = 0.6 * np.eye(3) + 0.3 * np.eye(3)[[1, 2, 0]] + 0.1 * np.eye(3)[[2, 0, 1]]
    shares = np.array([0.5, 0.3, 0.2])
    clean = rng.choice(3, 300, p=shares)
    log_p = log_softmax(1.5 * np.eye(3)[clean] + rng.normal(size=(300, 3)), axis=1)
    found = estimate_reliability(log_p, clean, estimate(matrix), np.bincount(clean) / 300)
    rows = np.tile(np.arange(300), 200)
    given = (matrix[clean[rows]].cumsum(axis=1) < rng.random((len(rows), 1))).sum(axis=1)
    scores = transition.log_posterior(log_p[rows], matrix, given)
    suspect = transition.log_odds(scores, given) < 0
    suggested = scores.argmax(axis=1)
    changed = suspect & (suggested != given)
    assert found.precision == pytest.approx((given != clean[rows])[suspect].mean(), abs=0.01)
    assert found.right_suggestions == pytest.approx(
        (suggested == clean[rows])[changed].mean(), abs=0.01
    )
    assert found.noise_rate == pytest.approx((given != clean[rows]).mean(), abs=0.01)
    # Over samples of clean examples the precision varies by its standard error.
    parts = [rng.integers(0, 300, 300) for _ in range(200)]
    noise = estimate(matrix)
    again = [
        estimate_reliability(log_p[p], clean[p], noise, np.bincount(clean[p]) / 300).precision
        for p in parts
    ]
    assert found.precision_error == pytest.approx(np.std(again), rel=0.25)


@pytest.mark.parametrize(
    ("precision", "error", "right", "weak"),
    [
        (0.9, 0.02, 0.8, False),
        (0.45, 0.03, 0.8, True),  # a noise rate of 0.4 is within two standard errors
        (0.47, 0.03, 0.8, False),
        (0.3, 0.01, 0.8, True),
        (0.9, 0.02, 0.45, True),  # following it makes more labels wrong than right
        (0.9, 0.02, None, False),
        (None, None, None, False),  # no suspects, no suggestions
    ],
)
def test_a_classifier_is_too_weak_by_chance_or_by_wrong_suggestions(precision, error, right, weak):
    assert Reliability(precision, error, right, None, 0.4, 100).too_weak == weak


def weak():
    """A classifier that has learned nothing, but is sure of it."""
    model = linear()
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def test_a_weak_classifier_says_so_first_and_suggests_nothing(tmp_path):
    found = tf_mwn.audit(weak(), X, Y, X[:60], TRUE[:60])
    assert found.reliability.too_weak and found.suggested is None
    first = str(found).splitlines()[0]
    assert first.startswith("the classifier is too weak to judge, and no label is suggested")
    assert f"{found.reliability.precision:.2f} ± " in first
    suspects, report, page = (path.read_text() for path in found.write(tmp_path))
    assert page.index("<p") == page.index(f'<p class="believed">{first}')
    rows = [line.split(",") for line in suspects.splitlines()]
    assert {row[rows[0].index("suggested")] for row in rows[1:]} == {""}
    assert '"too_weak": true' in report


def test_a_good_one_states_its_precision_and_one_without_clean_examples_that_it_is_unknown():
    found = tf_mwn.audit(linear(), X, Y, X[:60], TRUE[:60], y_clean=TRUE)
    assert found.reliability.precision > 0.95 and found.reliability.right_suggestions > 0.95
    assert found.reliability.noise_rate == pytest.approx(found.noise_rate, abs=1e-6)
    assert str(found).startswith(
        "tested with errors planted in 60 clean examples: share of suspects"
    )
    alone = tf_mwn.audit(linear(), X, Y)
    assert alone.reliability is None and alone.suggested is not None
    assert str(alone).startswith("it is unknown how many suspects are wrong: there are no clean")
