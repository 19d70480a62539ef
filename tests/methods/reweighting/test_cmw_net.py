"""CMW-Net: its limits, its warm-up, and the weights of wrong labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.reweighting.class_aware_problem import COUNTS, X, Y, compiled, fit
from tests.models import mlp
from tf_mwn import CMWNet, CMWNetSL, MetaWeightNet, paired_dataset


def test_one_cluster_on_a_given_meta_set_is_meta_weight_net():
    meta = X[::3], Y[::3]
    keras.utils.set_random_seed(1)
    ours = compiled(CMWNet(mlp(), COUNTS, 2, cmw_clusters=1, cmw_meta_set="given", cmw_warmup=0.0))
    theirs = MetaWeightNet(keras.models.clone_model(ours.classifier))
    theirs.classifier.set_weights(ours.classifier.get_weights())
    theirs.weight_net.set_weights(ours.weight_net.get_weights())
    compiled(theirs)
    logs = []
    for model in (ours, theirs):
        keras.utils.set_random_seed(2)
        logs.append(fit(model, 2, meta=meta))
    for part in ("classifier", "weight_net"):
        a, b = getattr(ours, part).get_weights(), getattr(theirs, part).get_weights()
        for value, expected in zip(a, b, strict=True):
            np.testing.assert_array_equal(value, expected)
    assert logs[0] == logs[1]


def test_the_warm_up_is_plain_training_and_leaves_the_weight_net():
    model = compiled(CMWNet(mlp(), COUNTS, 4, cmw_warmup=0.5))
    assert model.num_epochs == 4
    before = model.weight_net.get_weights()
    logs = fit(model, 2)
    assert set(logs) == {"loss"}
    for a, b in zip(before, model.weight_net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    logs = model.fit(
        paired_dataset(X, Y, None, None, batch_size=20), epochs=3, initial_epoch=2, verbose=0
    ).history
    assert set(logs) == {"loss", "mean_weight", "meta_loss"}
    assert any(np.any(a != b) for a, b in zip(before, model.weight_net.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cmw_meta_set": "lowloss"}, "did you mean 'low_loss'"),
        ({"cmw_meta_per_class": 0}, r"cmw_meta_per_class: expected a value in \[1, inf\)"),
        ({"cmw_warmup": 1.5}, r"cmw_warmup: expected a value in \[0, 1\), received 1.5"),
        ({"cmw_ema": 1.0}, r"cmw_ema: expected a value in \[0, 1\), received 1.0"),
        (
            {"cmw_meta_set": "given", "cmw_meta_per_class": 5},
            "cmw_meta_per_class: expected None with cmw_meta_set='given', received 5",
        ),
        ({"meta_batch_size": 31}, "meta_batch_size: expected at least 1 and at most the 30"),
    ],
)
def test_arguments_outside_their_sets(options, message):
    with pytest.raises(ValueError, match=message):
        CMWNet(mlp(), COUNTS, 3, **options)


@pytest.mark.parametrize(
    ("method", "options"), [(CMWNet, {"weight_normalization": "sum"}), (CMWNetSL, {})]
)
def test_wrong_labels_weigh_less(method, options):
    """Two clouds, a third of the labels wrong, no clean set: V learns to distrust large losses.

    Classifier and V start flat, so that what they are in the end is what they have learned; and
    the sum of the weights divides, for the mean rewards raising all of them.
    """
    draws = np.random.default_rng(0)
    clean = np.arange(120) % 2
    x = (0.5 * draws.normal(size=(120, 4))).astype("float32")
    x[:, 0] += 4.0 * clean - 2.0
    is_wrong = np.arange(120) % 3 == 0
    given = np.where(is_wrong, 1 - clean, clean)
    inputs = keras.Input((4,))
    classifier = keras.Model(inputs, keras.layers.Dense(2, kernel_initializer="zeros")(inputs))
    counts = np.bincount(given)
    model = method(classifier, counts, 8, cmw_clusters=1, cmw_meta_per_class=20, **options)
    for variable in model.weight_net.heads.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    compiled(model, (x, given), learning_rate=0.05, meta_learning_rate=2.0)
    fit(model, 8, x, given)
    weights = np.array(model.sample_weight(given, model.predict(x, verbose=0)))
    assert weights[is_wrong].mean() < weights[~is_wrong].mean() - 0.1
    assert (model.predict(x, verbose=0).argmax(1) == clean).mean() > 0.95
