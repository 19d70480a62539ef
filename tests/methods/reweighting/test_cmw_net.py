"""CMW-Net: its meta sets, its equality with Meta-Weight-Net, soft labels and mixup."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import cnn_with_batch_norm, mlp, subclassed, two_inputs
from tf_mwn import CMWNet, CMWNetSL, MetaWeightNet, WholeSets, paired_dataset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.reweighting.cmw_net_sl import SoftBatch, SoftLabelNet, Target, soft_label_loss
from tf_mwn.methods.reweighting.mixup import Mixup, blend
from tf_mwn.methods.reweighting.moving_average import MovingAverage

COUNTS = [30, 20, 10]
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5)).astype("float32")
Y = np.repeat([0, 1, 2], COUNTS)


def compiled(model, sets=(X, Y), learning_rate=0.1, meta_learning_rate=0.5):
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.9),
        meta_optimizer=keras.optimizers.SGD(meta_learning_rate),
    )
    model.whole_sets = WholeSets.from_arrays(*sets, batch_size=25)
    return model


def fit(model, epochs, x=X, y=Y, meta=(None, None)):
    stream = paired_dataset(x, y, *meta, batch_size=20, seed=3)
    return model.fit(stream, epochs=epochs, verbose=0, shuffle=False).history


def pool(model):
    """Rows of the training set in the rebuilt meta set, and its labels."""
    by_value = {tuple(row): i for i, row in enumerate(X)}
    inputs, labels = (np.array(v) for v in (model.rebuilt._inputs, model.rebuilt._labels))
    return np.array([by_value[tuple(row)] for row in inputs]), labels


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


def test_low_loss_takes_the_lowest_losses_of_the_average_per_given_class():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_per_class=4, cmw_ema=0.0))
    fit(model, 2)
    model.begin_epoch()
    # Two whole sets seen, and the average traced for whole batches and for the last one at most.
    assert model.average.compiled.experimental_get_tracing_count() <= 2
    rows, labels = pool(model)
    # Without memory the average is the classifier.
    losses = cross_entropy(Y, model.classifier(X)).numpy()
    for c in range(3):
        members = np.flatnonzero(c == Y)
        lowest = members[np.argsort(losses[members])[:4]]
        np.testing.assert_array_equal(rows[labels == c], np.sort(lowest))


def test_balanced_takes_as_many_of_each_class_and_others_each_epoch():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_warmup=0.0, seed=5))
    assert model.average is None and model.rebuilt.size == 30
    seen = []
    for _ in range(2):
        model.begin_epoch()
        seen.append(pool(model)[0])
        model.end_epoch()
    for rows in seen:
        np.testing.assert_array_equal(Y[rows], np.repeat([0, 1, 2], 10))
        assert len(set(rows)) == 30
    assert set(seen[0]) != set(seen[1])
    again = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_warmup=0.0, seed=5))
    again.begin_epoch()
    np.testing.assert_array_equal(pool(again)[0], seen[0])


def test_balanced_is_capped_by_the_option_and_by_the_smallest_class():
    for per_class, expected in ((3, 9), (50, 30)):
        model = CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_meta_per_class=per_class)
        assert model.rebuilt.size == expected


def test_fewer_examples_than_wanted_are_repeated_and_absent_classes_left_out():
    counts = [30, 0, 3]
    y = np.repeat([0, 2], [57, 3])
    model = compiled(CMWNet(mlp(), counts, 3, cmw_warmup=0.0), (X, y))
    model.begin_epoch()
    rows, labels = pool(model)
    assert set(labels) == {0, 2} and len(rows) == 20
    assert sorted(np.bincount(rows[labels == 2])[57:]) == [3, 3, 4]


def test_a_class_that_is_not_there_is_one_sentence():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0), (X, np.zeros(60, int)))
    with pytest.raises(ValueError, match="whole_sets: expected training examples of class 1"):
        model.begin_epoch()


def test_meta_batches_are_drawn_without_replacement_by_seed_and_step():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0, meta_batch_size=7))
    model.begin_epoch()
    draws = [model.rebuilt.draw(tf.constant(step), tf.zeros(20, tf.int32)) for step in (0, 1, 0)]
    sets = [{tuple(row) for row in draw["meta_inputs"].numpy()} for draw in draws]
    assert [len(rows) for rows in sets] == [7, 7, 7]
    assert sets[0] == sets[2] != sets[1]
    one_hot = model.rebuilt.draw(tf.constant(0), tf.zeros((20, 3)))["meta_labels"]
    np.testing.assert_array_equal(tf.argmax(one_hot, axis=1), draws[0]["meta_labels"])


def test_replicas_share_the_meta_batch(mirrored):
    with mirrored.scope():
        model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0))
    model.begin_epoch()
    draw = tf.function(lambda: model.rebuilt.draw(tf.constant(4), tf.zeros(5, tf.int32)))
    parts = mirrored.experimental_local_results(mirrored.run(draw))
    alone = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0))
    alone.rebuilt._inputs.assign(model.rebuilt._inputs)
    whole = alone.rebuilt.draw(tf.constant(4), tf.zeros(10, tf.int32))["meta_inputs"].numpy()
    assert [len(part["meta_inputs"]) for part in parts] == [5, 5]
    for r, part in enumerate(parts):
        np.testing.assert_array_equal(part["meta_inputs"], whole[r::2])


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


def test_what_the_found_meta_set_cannot_hold_is_one_sentence():
    with pytest.raises(ValueError, match="one input array of known shape.*cmw_meta_set='given'"):
        CMWNet(two_inputs(), COUNTS, 3)
    with pytest.raises(ValueError, match="one input array of known shape"):
        CMWNet(
            keras.Sequential(
                [keras.Input((None, 2)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(3)]
            ),
            COUNTS,
            3,
        )
    CMWNet(two_inputs(), COUNTS, 3, cmw_meta_set="given")
    assert CMWNet(subclassed(), COUNTS, 3).rebuilt._inputs.shape == (30, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cmw_meta_set": "lowloss"}, "did you mean 'low_loss'"),
        ({"cmw_meta_per_class": 0}, r"cmw_meta_per_class: expected a value in \[1, inf\)"),
        ({"cmw_warmup": 1.5}, "cmw_warmup"),
        ({"cmw_ema": 1.0}, "cmw_ema"),
        ({"meta_batch_size": 31}, "meta_batch_size: expected at least 1 and at most the 30"),
    ],
)
def test_arguments_outside_their_sets(options, message):
    with pytest.raises(ValueError, match=message):
        CMWNet(mlp(), COUNTS, 3, **options)


def test_fit_without_whole_sets_is_one_sentence():
    model = CMWNet(mlp(), COUNTS, 3)
    model.compile("sgd")
    with pytest.raises(ValueError, match="whole_sets: .*CMWNet reads"):
        fit(model, 1)


def test_the_moving_average():
    """At step t the momentum is min(m, (1 + t)/(10 + t)); batch-norm statistics go along."""
    classifier = cnn_with_batch_norm()
    average = MovingAverage(keras.Model(), classifier, 0.5)
    old = classifier.get_weights()
    new = [np.abs(rng.normal(size=w.shape)) for w in old]
    classifier.set_weights(new)
    average.update(tf.constant(2))  # 3/12
    twin = cnn_with_batch_norm()
    twin.set_weights([0.25 * a + 0.75 * b for a, b in zip(old, new, strict=True)])
    x = rng.normal(size=(4, 6, 6, 2)).astype("float32")
    np.testing.assert_allclose(average.compiled(x), twin(x, training=False), rtol=1e-4, atol=1e-5)
    average.update(tf.constant(1000))  # 0.5
    twin.set_weights([0.5 * (a + b) for a, b in zip(twin.get_weights(), new, strict=True)])
    np.testing.assert_allclose(average.compiled(x), twin(x, training=False), rtol=1e-4, atol=1e-5)
    for a, b in zip(classifier.get_weights(), new, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_trust_decides_between_label_and_pseudo_label():
    given, pseudo = tf.constant([1.0, 2.0]), tf.constant([5.0, 7.0])
    np.testing.assert_array_equal(soft_label_loss(tf.ones(2), given, pseudo), given)
    np.testing.assert_array_equal(soft_label_loss(tf.zeros(2), given, pseudo), pseudo)
    np.testing.assert_allclose(soft_label_loss(tf.fill([2], 0.25), given, pseudo), [4.0, 5.75])


def test_soft_objective_by_hand():
    net = SoftLabelNet(COUNTS)
    logits = tf.constant(rng.normal(size=(4, 3)), tf.float32)
    ours, others = tf.constant([0, 1, 2, 0]), tf.constant([2, 0, 0, 1])
    z, z_others = (tf.nn.softmax(tf.constant(rng.normal(size=(4, 3)), tf.float32)) for _ in "ab")
    targets = (Target(0.7, ours, z), Target(0.3, others, z_others))
    value, weights = net.objective(logits, SoftBatch(ours, cross_entropy, targets=targets))
    log_p = np.array(tf.nn.log_softmax(logits))
    expected = 0.0
    for share, labels, pseudo in ((0.7, ours, z), (0.3, others, z_others)):
        losses = -log_p[np.arange(4), labels]
        v = np.array(net(tf.constant(losses), labels))
        expected += share * np.mean(v * losses - (1 - v) * (np.array(pseudo) * log_p).sum(1))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    plain = net.objective(logits, TrainingBatch(ours, cross_entropy))[1]
    np.testing.assert_allclose(weights, plain, rtol=1e-6)


def test_mixup_share_is_the_larger_half_of_beta():
    from scipy import stats

    share = Mixup(4.0, seed=0).share
    drawn = np.array([share(tf.constant(step)) for step in range(400)])
    assert drawn.min() >= 0.5 and drawn.max() <= 1.0
    larger = np.linspace(0.5, 1, 7)[1:-1]
    expected = 2 * stats.beta(4, 4).cdf(larger) - 1
    np.testing.assert_allclose([(drawn <= q).mean() for q in larger], expected, atol=0.08)
    assert drawn[3] == share(tf.constant(3))


def test_mixup_partners_are_a_permutation():
    values = tf.range(20), tf.reshape(tf.range(40.0), [20, 2])
    numbers, rows = Mixup(1.0, seed=0).partners(tf.constant(5), list(values))
    assert sorted(np.array(numbers)) == list(range(20)) and np.any(numbers != values[0])
    np.testing.assert_array_equal(rows, tf.gather(values[1], numbers))


def test_blend():
    np.testing.assert_allclose(blend(tf.constant(0.75), tf.ones(2), tf.fill([2], 5.0)), [2.0, 2.0])
    with pytest.raises(ValueError, match="floating point numbers for mixup.*cmw_mixup=0"):
        blend(tf.constant(0.75), tf.ones(2, tf.int32), tf.ones(2, tf.int32))


def test_a_blended_batch_mixes_inputs_and_targets_alike():
    model = compiled(CMWNetSL(mlp(), COUNTS, 3, cmw_mixup=1.0))
    labels = tf.constant(Y[:20])
    element = {"inputs": tf.constant(X[:20]), "sample_id": tf.range(20)}
    inputs, batch = model.soft_batch(element, labels)
    own, other = batch.targets
    share = float(own.share)
    rest = (np.array(inputs) - share * X[:20]) / (1 - share)
    rows = [int(np.argmin(np.abs(X[:20] - row).sum(1))) for row in rest]
    np.testing.assert_allclose(X[rows], rest, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(other.labels, Y[rows])
    np.testing.assert_allclose(
        own.pseudo_labels, tf.nn.softmax(model.classifier(X[:20])), rtol=1e-5
    )
    np.testing.assert_array_equal(other.pseudo_labels, np.array(own.pseudo_labels)[rows])
    plain = compiled(CMWNetSL(mlp(), COUNTS, 3, cmw_mixup=0.0))
    inputs, batch = plain.soft_batch(element, labels)
    assert inputs is element["inputs"] and [t.share for t in batch.targets] == [1.0]


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
