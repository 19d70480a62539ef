"""Methods with a rule for the weights: what is refused."""

import numpy as np
import pytest

from tests.methods.steps_of_objectives import LABELS, P_Y, logits_of
from tests.models import mlp
from tf_mwn.methods.losses import robust_losses
from tf_mwn.methods.rules import weightings
from tf_mwn.methods.rules.weighted_loss import LossWeighting


def test_a_history_without_ids_is_one_sentence():
    model = weightings.ada_boost(mlp(), 4, 1)
    model.compile("sgd")
    with pytest.raises(ValueError, match="sample_id: expected the ids"):
        model.sample_weight(LABELS, logits_of(P_Y))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: robust_losses.gce(mlp(), gce_q=0.0), r"q: expected a value in \(0, 1\]"),
        (lambda: robust_losses.class_balanced(mlp(), [5, 5], 1.0), r"beta: .* \[0, 1\)"),
        (lambda: robust_losses.class_balanced(mlp(), [5, 0]), r"class_counts: .* \[1, inf\)"),
        (lambda: robust_losses.ldam_drw(mlp(), [5, 5], 1, 1, ldam_defer=2.0), r"defer: .* \[0, 1"),
        (lambda: robust_losses.forward_correction(mlp(), np.ones((3, 3))), "rows of prob"),
        (lambda: weightings.linear_weighting(mlp(), 0.0), r"lambda_: .* \(0, inf\)"),
        (lambda: weightings.polynomial_weighting(mlp(), 5.0, 1.0), r"d: .* \(1, inf\)"),
        (lambda: weightings.focal_weighting(mlp(), -1.0), r"alpha: .* \[0, inf\)"),
        (lambda: weightings.hard_mining(mlp(), [5, 5], -1.0), r"lambda_: .* \[0, inf\)"),
        (lambda: weightings.self_paced(mlp(), 1, "slow"), "age: expected one of growing, perc"),
        (lambda: weightings.self_paced(mlp(), 1, self_paced_growth=0.9), r"growth: .* \[1, inf\)"),
        (lambda: weightings.self_paced(mlp(), 1, self_paced_fraction=0.0), r"fraction: .* \(0, 1"),
        (lambda: weightings.prediction_variance(mlp(), 4, 1, 0.0), r"epsilon: .* \(0, inf\)"),
        (lambda: weightings.iterative_reweighting(mlp(), 4, 1, "huber"), "gce, geman_mcclure, t"),
        (lambda: weightings.ada_boost(mlp(), 4, 1, ada_boost_clip=0.5), r"clip: .* \[1, inf\)"),
        (lambda: weightings.ada_boost(mlp(), 0, 1), "num_sample_ids: expected an integer of at l"),
        (lambda: LossWeighting("linear", {"d": 2.0}), "parameters: expected lambda_, received d"),
        (lambda: LossWeighting("cubic", {}), "function: expected one of"),
    ],
)
def test_parameters_outside_their_set_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
