"""Objectives with a fixed rule for the weights: what they keep of each example, and when."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import GeneralizedCrossEntropy, generalized_cross_entropy
from tf_mwn.methods import registry
from tf_mwn.methods.losses import robust_losses
from tf_mwn.methods.losses.robust_losses import truncated_gce
from tf_mwn.methods.rules import weightings
from tf_mwn.methods.rules.example_weighting import (
    AdaBoost,
    PredictionVariance,
    RandomWeights,
    RefreshedWeighting,
)
from tf_mwn.methods.rules.weighted_loss import ClassWeighting, HardMining, LossWeighting, SelfPaced
from tf_mwn.runs import build
from tf_mwn.settings.config import Config

LABELS = tf.constant([0, 1, 2, 0])


def logits_of(p_y):
    """Logits [4, 3] that give each label its p_y and share the rest equally."""
    p = np.asarray(p_y, "float64")[:, None]
    return tf.constant(np.log(np.where(np.eye(3)[LABELS], p, (1 - p) / 2)), tf.float32)


def batch(step=0, ids=(0, 1, 2, 3)):
    return TrainingBatch(LABELS, cross_entropy, tf.constant(ids), tf.constant(step))


def weights(objective, p_y, step=0, ids=(0, 1, 2, 3)):
    """One step of `objective`: it observes the batch, then weighs it."""
    objective.observe(logits_of(p_y), batch(step, ids))
    return objective.objective(logits_of(p_y), batch(step, ids))[1].numpy()


P_Y = [0.9, 0.5, 0.2, 0.6]


def test_the_objective_is_the_mean_of_weight_times_loss_and_weights_are_constants():
    objective = LossWeighting("linear", {"lambda_": 2.0})
    logits = logits_of(P_Y)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value, v = objective.objective(logits, batch())
    losses = -np.log(P_Y)
    np.testing.assert_allclose(v, 1 - losses / 2, rtol=1e-5)
    np.testing.assert_allclose(value, np.mean(v * losses), rtol=1e-5)
    expected = v[:, None] * (tf.nn.softmax(logits) - tf.one_hot(LABELS, 3)) / 4
    np.testing.assert_allclose(tape.gradient(value, logits), expected, atol=1e-6)


def test_a_growing_age_lets_harder_examples_in():
    objective = SelfPaced(10, "growing", lambda_=0.6, growth=1.5)
    np.testing.assert_array_equal(weights(objective, P_Y), [1, 0, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=9), [1, 0, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=10), [1, 1, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=30), [1, 1, 1, 1])
    np.testing.assert_allclose(objective.scalars()["lambda"], 0.6 * 1.5**3, rtol=1e-6)


def test_a_percentile_age_keeps_a_fraction_and_follows_slowly():
    objective = SelfPaced(10, "percentile", fraction=0.5, memory=0.5)
    np.testing.assert_array_equal(weights(objective, P_Y), [1, 0, 0, 1])
    weights(objective, [0.99, 0.98, 0.97, 0.96], step=1)
    age = 0.5 * (-np.log(0.6) - np.log(0.98))
    np.testing.assert_allclose(objective.scalars()["lambda"], age, rtol=1e-4)


def test_a_class_weight_may_start_later():
    objective = ClassWeighting([1.0, 2.0, 3.0], start_step=5)
    np.testing.assert_array_equal(weights(objective, P_Y, step=4), [1, 1, 1, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=5), [1, 2, 3, 1])


def test_the_published_class_balanced_weights():
    counts = np.round(5000 * 100 ** (-np.arange(10) / 9))
    model = robust_losses.class_balanced(mlp(classes=10), counts)
    labels = tf.range(10)
    given = model.training_objective.objective(
        tf.zeros((10, 10)), TrainingBatch(labels, cross_entropy, labels, tf.constant(0))
    )[1]
    published = [0.0506, 0.0769, 0.1211, 0.1950, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927]
    np.testing.assert_allclose(given, published, atol=1e-3)


def test_ldam_defers_its_weights_and_bends_the_margin_at_once():
    model = robust_losses.ldam_drw(mlp(), [100, 10, 1], steps_per_epoch=3, epochs=10)
    objective = model.training_objective
    np.testing.assert_array_equal(weights(objective, P_Y, step=23), [1, 1, 1, 1])
    late = weights(objective, P_Y, step=24)
    assert late[2] > late[1] > late[0]
    value = objective.objective(logits_of(P_Y), batch())[0]
    assert value > tf.reduce_mean(cross_entropy(LABELS, logits_of(P_Y)))


def test_hard_mining_keeps_the_small_classes():
    objective = HardMining([50, 50, 10], lambda_=0.6)
    np.testing.assert_array_equal(weights(objective, [0.9, 0.5, 0.99, 0.6]), [0, 1, 1, 0])


def test_prediction_variance_by_hand():
    objective = PredictionVariance(6, steps_per_epoch=1, epsilon=0.2, warmup_epochs=2)
    ids = (5, 1, 2, 0)
    np.testing.assert_array_equal(weights(objective, [0.9, 0.5, 0.2, 0.6], 0, ids), np.ones(4))
    np.testing.assert_array_equal(weights(objective, [0.5, 0.5, 0.4, 0.6], 1, ids), np.ones(4))
    last = weights(objective, [0.9, 0.5, 0.6, 0.6], 2, ids)
    variance = np.array([np.var(h, ddof=1) for h in ([0.9, 0.5, 0.9], [0.2, 0.4, 0.6])])
    raw = np.sqrt(variance + variance**2 / 2) + 0.2
    raw = np.array([raw[0], 0.2, raw[1], 0.2])
    np.testing.assert_allclose(last, raw / raw.mean(), rtol=1e-3)
    newcomer = weights(objective, [0.9, 0.5, 0.6, 0.6], 3, (5, 1, 2, 4))
    assert newcomer[3] == 1 and newcomer[:3].mean() == pytest.approx(1, rel=1e-5)


def test_iterative_weights_are_kept_between_renewals():
    objective = RefreshedWeighting("gce", {"q": 1.0}, 4, steps_per_epoch=2, refresh_epochs=2)
    np.testing.assert_allclose(weights(objective, P_Y, step=0), P_Y, rtol=1e-5)
    other = [0.3, 0.3, 0.3, 0.3]
    np.testing.assert_allclose(weights(objective, other, step=2), P_Y, rtol=1e-5)
    np.testing.assert_allclose(weights(objective, other, step=4), other, rtol=1e-5)


def test_truncated_gce_has_the_gradient_of_the_truncated_loss():
    model = truncated_gce(mlp(), 4, 1, epochs=3, truncated_gce_start=1 / 3)
    objective = model.training_objective
    np.testing.assert_array_equal(weights(objective, P_Y, step=0), np.ones(4))
    keep = weights(objective, [0.9, 0.51, 0.2, 0.6], step=1)
    np.testing.assert_array_equal(keep, [1, 1, 0, 1])
    logits = logits_of([0.8, 0.4, 0.7, 0.6])
    slopes = []
    for function in (
        lambda z: objective.objective(z, batch(2))[0],
        lambda z: tf.reduce_mean(keep * generalized_cross_entropy(LABELS, z)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = function(logits)
        slopes.append(tape.gradient(value, logits))
    np.testing.assert_allclose(*slopes, atol=1e-7)


def test_boosting_weighs_from_the_second_round_on():
    objective = AdaBoost(4, steps_per_epoch=1, round_epochs=2, clip=2.0)
    for step in (0, 1):
        np.testing.assert_array_equal(weights(objective, [0.9, 0.9, 0.9, 0.1], step), np.ones(4))
    # err = ¼, factor 3 · 2 = 6: 6 · 4/9 is clipped, the others weigh 4/9.
    after = weights(objective, [0.9, 0.9, 0.1, 0.9], 2)
    np.testing.assert_allclose(after, [4 / 9, 4 / 9, 4 / 9, 2], rtol=1e-5)
    np.testing.assert_allclose(weights(objective, P_Y, 3), after, rtol=1e-5)


def test_random_weights_have_mean_one_and_follow_the_example():
    objective = RandomWeights(40, seed=3)
    first = weights(objective, P_Y, step=5)
    assert first.mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_array_equal(weights(objective, P_Y, step=5), first)
    swapped = weights(objective, P_Y, step=5, ids=(3, 2, 1, 0))
    np.testing.assert_allclose(swapped, first[::-1], rtol=1e-6)
    assert not np.allclose(weights(objective, P_Y, step=6), first)


def test_an_id_that_occurs_twice_in_a_batch_counts_once():
    objective = PredictionVariance(4, 1, warmup_epochs=0)
    weights(objective, [0.9, 0.5, 0.2, 0.6], 0, (0, 0, 1, 1))
    np.testing.assert_array_equal(objective._history.count, [1, 1, 0, 0])
    np.testing.assert_allclose(objective._history.mean, [0.7, 0.4, 0, 0], rtol=1e-5)


def test_a_history_without_ids_is_one_sentence():
    model = weightings.ada_boost(mlp(), 4, 1)
    model.compile("sgd")
    with pytest.raises(ValueError, match="sample_id: expected the ids"):
        model.sample_weight(LABELS, logits_of(P_Y))


def test_the_logged_loss_is_that_of_compile():
    model = robust_losses.gce(mlp())
    model.compile(keras.optimizers.SGD(0.0))
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    element = {"inputs": tf.constant(x), "sample_id": tf.range(4)}
    history = model.fit(tf.data.Dataset.from_tensors((element, LABELS)), verbose=0).history
    expected = np.mean(cross_entropy(LABELS, model(x)))
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-5)
    own = model.training_objective.objective(model(x), batch())[0]
    np.testing.assert_allclose(own, GeneralizedCrossEntropy(0.7)(LABELS, model(x)), rtol=1e-5)


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
        (lambda: weightings.iterative_reweighting(mlp(), 4, 1, "huber"), "did you|expected one of"),
        (lambda: weightings.ada_boost(mlp(), 4, 1, ada_boost_clip=0.5), r"clip: .* \[1, inf\)"),
        (lambda: weightings.ada_boost(mlp(), 0, 1), "num_sample_ids: expected an integer of at l"),
        (lambda: LossWeighting("linear", {"d": 2.0}), "parameters: expected lambda_, received d"),
        (lambda: LossWeighting("cubic", {}), "function: expected one of"),
    ],
)
def test_parameters_outside_their_set_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def biased(counts, features=5):
    labels = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(labels) * features, dtype="float32").reshape(-1, features)
    train = Subset(x, labels, None, 100 + 3 * np.arange(len(labels)))
    one = np.ones(features, "float32")
    return BiasedData(train, None, None, None, len(counts), 0 * one, one, {})


@pytest.mark.parametrize("kind", ["over", "under"])
def test_resampling_repeats_examples_with_their_own_ids_and_resumes(kind):
    row, data = registry.find("resampling"), biased([60, 12, 8])
    config = Config(batch_size=8, resampling_kind=kind)
    steps = build.steps_per_epoch(config, row, data)
    assert steps == {"over": 80, "under": 24}[kind] // 8
    stream = build.build_stream(config, row, data, seed=1, start_epoch=0)
    batches = [(e["sample_id"].numpy(), e["inputs"].numpy(), y.numpy()) for e, y in stream.take(20)]
    for ids, inputs, labels in batches:
        rows = (ids - 100) // 3
        np.testing.assert_array_equal(inputs, data.train.x[rows])
        np.testing.assert_array_equal(labels, data.train.label[rows])
    seen = np.concatenate([labels for _, _, labels in batches[:steps]])
    assert np.ptp(np.bincount(seen)) <= 1
    later = build.build_stream(config, row, data, seed=1, start_epoch=2)
    for (ids, _, _), (element, _) in zip(batches[2 * steps :], later.take(20), strict=False):
        np.testing.assert_array_equal(element["sample_id"], ids)


def test_a_batch_larger_than_what_resampling_leaves_is_one_sentence():
    row, data = registry.find("resampling"), biased([60, 12, 2])
    config = Config(batch_size=10, resampling_kind="under")
    with pytest.raises(ValueError, match="at most the 6 training images that resampling leaves"):
        build.check_sizes(config, data, [row])
