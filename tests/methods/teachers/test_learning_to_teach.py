"""Learning to teach: the policy and its gradient by other routes, and the course of episodes."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn.data.streams.pipeline import training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.teachers.learning_to_teach import LearningToTeach
from tf_mwn.methods.teachers.taught_loss import TaughtLoss
from tf_mwn.methods.teachers.teacher_policy import Reinforce, TeacherPolicy, teaching_features
from tf_mwn.training.cross_entropy import CrossEntropy

rng = np.random.default_rng(0)
SIZE, STEPS = 24, 2  # training examples; steps in an epoch


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


DATA = (normal(SIZE, 5), rng.integers(0, 3, SIZE)), (normal(12, 5), rng.integers(0, 3, 12))


def stream(start_epoch=0):
    (x, y), (xm, ym) = DATA
    train, meta = Subset(x, y, None, np.arange(SIZE)), Subset(xm, ym, None, np.arange(12))
    return training_stream(train, meta, SIZE // STEPS, None, seed=4, start_epoch=start_epoch)


def compiled(momentum=0.9, meta_rate=1.0, **options):
    keras.utils.set_random_seed(3)
    facts = {"num_classes": 3, "num_sample_ids": SIZE, "steps_per_epoch": STEPS, "epochs": 2}
    model = LearningToTeach(mlp(), **{**facts, "l2t_episodes": 2, **options})
    optimizers = keras.optimizers.SGD(0.3, momentum), keras.optimizers.SGD(meta_rate)
    model.compile(*optimizers, run_eagerly=True)  # sooner done than traced
    return model


def fit(model, epochs=1, start_epoch=0):
    model.fit(stream(start_epoch), epochs=epochs, steps_per_epoch=STEPS, verbose=0, shuffle=False)
    return model


def keep_all_with(model, bias):
    """A policy that keeps (bias 100) or drops (bias -100) whatever it sees."""
    model.teacher.policy.out.kernel.assign(tf.zeros([12, 1]))
    model.teacher.policy.out.bias.assign([bias])
    return model


def values(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def assert_equal(these, those, **tolerance):
    for a, b in zip(these, those, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 0, "atol": 0, **tolerance})


# What the teacher sees, and where it starts.


def test_features_by_hand():
    logits = np.log([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]).astype("float32")
    features = teaching_features(np.array([0, 1]), logits, tf.constant([0.25, 0.5, 0.75]))
    expected = [
        [1, 0, 0, 0.25, 0.5, 0.75, 0.5, 0.2, 0.3, np.log(2), 0.2],
        [0, 1, 0, 0.25, 0.5, 0.75, 0.1, 0.1, 0.8, np.log(10), -0.7],
    ]
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    one_hot = teaching_features(np.eye(3)[[0, 1]], logits, tf.constant([0.25, 0.5, 0.75]))
    np.testing.assert_array_equal(one_hot, features)


def test_a_new_teacher_keeps_seven_of_eight():
    teacher = TaughtLoss(num_classes=10, num_sample_ids=5000)
    assert teacher.policy.hidden.kernel.shape == (25, 12)
    batch = TrainingBatch(rng.integers(0, 10, 5000), cross_entropy, np.arange(5000), tf.constant(3))
    logits = tf.constant(normal(5000, 10))
    probability = teacher.keep_probability(logits, batch)
    np.testing.assert_allclose(probability, 0.881, atol=0.015)
    kept = teacher.kept(logits, batch)
    assert set(np.unique(kept)) == {0.0, 1.0}
    np.testing.assert_allclose(np.mean(kept), np.mean(probability), atol=0.02)


def test_draws_belong_to_the_examples_and_change_with_the_step():
    teacher = TaughtLoss(num_classes=3, num_sample_ids=500, seed=1)
    logits, ids = tf.zeros([500, 3]), np.arange(500)

    def kept(order, teacher=teacher):
        batch = TrainingBatch(np.zeros(500, int), cross_entropy, order, tf.constant(0))
        return teacher.kept(logits, batch).numpy()

    np.testing.assert_array_equal(kept(ids)[::-1], kept(ids[::-1]))
    first = kept(ids)
    batch = TrainingBatch(np.zeros(500, int), cross_entropy, ids, tf.constant(0))
    teacher.observe(logits, batch)
    assert (kept(ids) != first).any()
    other = TaughtLoss(num_classes=3, num_sample_ids=500, seed=2)
    assert (kept(ids, other) != first).any()


def test_the_state_of_the_student_by_hand():
    teacher = TaughtLoss(num_classes=3, num_sample_ids=4)
    teacher.begin_training(steps=8)
    # Training loss, dev loss and dev accuracy of two steps.
    for step, (loss, dev_loss, accuracy) in enumerate([(0.9, 0.6, 0.5), (0.3, 0.7, 0.85)]):
        constant = tf.fill([1], loss)
        batch = TrainingBatch(
            np.array([0]), lambda y, z, c=constant: c, np.array([0]), tf.constant(step)
        )
        teacher.observe(tf.zeros([1, 3]), batch)
        teacher.observe_dev(dev_loss, accuracy, batch.step, threshold=0.8)
    student = teacher.features(tf.zeros([1, 3]), batch)[0, 3:6]
    np.testing.assert_allclose(student, [1 / 8, 0.6 / np.log(3), 0.6 / np.log(3)], rtol=1e-6)
    assert teacher.speed() == pytest.approx(-np.log(2 / 8))
    np.testing.assert_allclose(teacher.dev_accuracy(), 0.675, rtol=1e-6)
    teacher.begin_training(steps=8)
    assert teacher.speed() == 0.0


# The policy gradient.


def random_policy(features):
    policy = TeacherPolicy(features)
    for variable in policy.trainable_variables:
        variable.assign(0.5 * normal(*variable.shape))
    return policy


def test_the_score_equals_a_numpy_reference():
    policy, x, a = random_policy(6), normal(7, 6), rng.integers(0, 2, 7)
    kernel, bias, last, last_bias = values(policy.trainable_variables)
    hidden = np.tanh(x @ kernel + bias)
    keep = sigmoid(hidden @ last[:, 0] + last_bias[0])
    # ∂ ln π / ∂ logit is 1 - π(keep) where kept and -π(keep) where dropped.
    d = (a - keep)[:, np.newaxis]
    back = d * last[:, 0] * (1 - hidden**2)
    expected = [x.T @ back, back.sum(axis=0), hidden.T @ d, d.sum(axis=0)]
    assert_equal(policy.score(x, a), expected, rtol=1e-4, atol=1e-5)


def test_reinforce_equals_a_numpy_reference():
    layer = keras.layers.Layer()
    weight = layer.add_weight(shape=(2,), name="weight")
    learner = Reinforce(layer, [weight])
    scores, rewards = normal(3, 4, 2), [0.5, 0.9, 0.2]
    baseline = rewards[0]
    for episode, reward in zip(scores, rewards, strict=True):
        for score in episode:
            learner.add_scores([tf.constant(score)], tf.constant(5.0))
        (gradient,) = learner.end_episode(reward)
        expected = -(reward - baseline) * episode.sum(axis=0) / 20
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)
        baseline = 0.8 * baseline + 0.2 * reward
        np.testing.assert_allclose(float(learner.baseline), baseline, rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_keeping_the_good_example_becomes_likelier():
    """Two examples; the reward is 1 for keeping the good one and -1 for keeping the bad one.

    Over all four outcomes the estimate has the gradient of the expected reward as its mean.
    """
    policy, x = random_policy(4), tf.constant(rng.normal(size=(2, 4)))
    variables = policy.trainable_variables
    with tf.GradientTape() as tape:
        keep = tf.sigmoid(policy(x))
        expected_reward = keep[0] - keep[1]
    exact = tape.gradient(expected_reward, variables)
    mean = [tf.zeros_like(g) for g in exact]
    learner = Reinforce(keras.layers.Layer(), variables)
    learner.end_episode(0.1)  # a baseline
    for a in itertools.product((0, 1), repeat=2):
        learner.baseline.assign(0.1)
        learner.add_scores(policy.score(x, np.array(a)), tf.constant(1.0, tf.float64))
        estimate = learner.end_episode(a[0] - a[1])
        probability = np.prod(np.where(a, keep, 1 - keep))
        mean = [m - probability * g for m, g in zip(mean, estimate, strict=True)]
    assert_equal(mean, exact, rtol=1e-6, atol=1e-9)
    for variable, g in zip(variables, mean, strict=True):
        variable.assign_add(0.01 * g)
    after = tf.sigmoid(policy(x))
    assert after[0] > keep[0] and after[1] < keep[1]


def test_the_teacher_learns_whom_to_trust_from_many_episodes():
    """A bandit of 100 episodes: the reward is the share of right decisions about 20 examples.

    In small steps. A policy that is certain, whatever of, has no score left to learn from, and
    large ones lead there by luck; so would a reward that says nothing of how many are kept.
    """
    is_good = np.arange(20) < 10
    policy, x = TeacherPolicy(2), tf.constant(np.eye(2, dtype="float32")[1 - is_good])
    learner = Reinforce(keras.layers.Layer(), policy.trainable_variables)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(policy.trainable_variables)

    @tf.function
    def learn(kept, reward):
        learner.add_scores(policy.score(x, kept), tf.constant(20.0))
        optimizer.apply(learner.end_episode(reward), policy.trainable_variables)

    draws = np.random.default_rng(0)
    for _ in range(100):
        kept = draws.random(20) <= sigmoid(policy(x).numpy())
        learn(kept, np.mean(kept == is_good))
    keep = sigmoid(policy(x).numpy())
    assert keep[is_good].min() > 0.9 and keep[~is_good].max() < 0.1


# The model.


def test_one_step_on_a_linear_model_equals_a_numpy_reference():
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = LearningToTeach(
        classifier, num_classes=3, num_sample_ids=12, steps_per_epoch=1, epochs=1
    )
    model.teacher.policy.out.bias.assign([0.0])  # about half are kept
    model.compile(keras.optimizers.SGD(0.3))
    kernel, bias = classifier.get_weights()
    features, labels = element([(5,)], size=12)
    model.fit(tf.data.Dataset.from_tensors((features, labels)), verbose=0)
    batch = TrainingBatch(labels, cross_entropy, features["sample_id"], tf.constant(0))
    x = features["inputs"].numpy()
    # The draw of step 1 stands until the next step.
    kept = model.teacher.kept(x @ kernel + bias, batch).numpy()
    assert 0 < kept.sum() < 12
    p = np.exp(x @ kernel + bias)
    p /= p.sum(axis=1, keepdims=True)
    d = kept[:, np.newaxis] * (p - np.eye(3)[labels]) / kept.sum()
    expected = kernel - 0.3 * x.T @ d, bias - 0.3 * d.sum(axis=0)
    assert_equal(classifier.get_weights(), expected, atol=1e-6)


def test_a_teacher_that_keeps_all_is_plain_training():
    taught = fit(keep_all_with(compiled(), 100.0))
    keras.utils.set_random_seed(3)
    plain = CrossEntropy(mlp())
    plain.compile(keras.optimizers.SGD(0.3, 0.9), run_eagerly=True)
    assert_equal(taught.classifier.get_weights(), fit(plain).classifier.get_weights(), atol=1e-6)


def test_a_teacher_that_drops_all_teaches_nothing():
    model = keep_all_with(compiled(momentum=0.0), -100.0)
    before = model.classifier.get_weights()
    assert_equal(fit(model).classifier.get_weights(), before)


def test_every_episode_begins_with_the_same_student():
    model = compiled(l2t_episode_epochs=2)
    initial = model.classifier.get_weights()
    for epoch in range(6):
        model.begin_epoch()
        is_new = epoch % 2 == 0  # two episodes of two epochs, then the last training
        pairs = zip(model.classifier.get_weights(), initial, strict=True)
        same = all(np.array_equal(a, b) for a, b in pairs)
        assert same == is_new and (int(model.optimizer.iterations) == 0) == is_new
        fit(model, start_epoch=epoch)
    assert model.phases.current == "final" and model.num_epochs == 6


def test_the_policy_moves_at_the_end_of_episodes_alone():
    """From the second on, for the first reward is the baseline; and never in the last training."""
    model = compiled(l2t_episode_epochs=2, l2t_episodes=2)
    moved = []
    for epoch in range(model.num_epochs):
        before = values(model.teacher.policy.trainable_variables)
        fit(model, start_epoch=epoch)
        after = values(model.teacher.policy.trainable_variables)
        moved.append(any((a != b).any() for a, b in zip(before, after, strict=True)))
    assert moved == [False, False, False, True, False, False]


@pytest.mark.parametrize("reward", ["accuracy", "speed"])
def test_the_reward_is_the_success_on_the_dev_set(reward):
    """Dev accuracy before each step of the last epoch, by evaluating the model beside it."""
    model = compiled(l2t_reward=reward, l2t_accuracy=0.3, l2t_episode_epochs=2)
    (x_meta, y_meta), accuracies = DATA[1], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            logits = self.model.classifier(x_meta).numpy()
            accuracies.append((logits.argmax(axis=1) == y_meta).mean())

    options = {"steps_per_epoch": STEPS, "verbose": 0, "shuffle": False}
    model.fit(stream(), epochs=2, callbacks=[Watch()], **options)
    first = next((i for i, value in enumerate(accuracies) if value >= 0.3), None)
    expected = {
        "accuracy": np.mean(accuracies[STEPS:]),
        "speed": 0.0 if first is None else -np.log((first + 1) / (2 * STEPS)),
    }[reward]
    np.testing.assert_allclose(float(model.teacher.scalars()["reward"]), expected, rtol=1e-5)


def test_resumes_exactly_within_an_episode():
    """After the first of the two epochs of the second episode."""
    whole, resumed = (compiled(l2t_episodes=2, l2t_episode_epochs=2) for _ in range(2))
    state = values(fit(whole, epochs=3).state_variables())
    for variable, value in zip(resumed.state_variables(), state, strict=True):
        variable.assign(value)
    for model in (whole, resumed):
        fit(model, epochs=2, start_epoch=3)
    assert model.phases.current == "final"
    assert_equal(values(resumed.state_variables()), values(whole.state_variables()))


def test_the_seed_decides_the_draws():
    weights = [fit(compiled(seed=seed)).classifier.get_weights() for seed in (1, 1, 2)]
    assert_equal(weights[0], weights[1])
    assert (weights[0][0] != weights[2][0]).any()


def test_sample_weights_are_keep_probabilities():
    model = fit(compiled(), epochs=4)
    (x, y), _ = DATA
    weights = model.sample_weight(y, model.predict(x, verbose=0), np.arange(SIZE))
    assert weights.shape == (SIZE,) and np.min(weights) > 0 and np.max(weights) < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"l2t_reward": "acuracy"},
            "l2t_reward: expected one of accuracy, speed.*'accuracy'",
        ),
        ({"l2t_accuracy": 0.0}, r"l2t_accuracy: expected a value in \(0, 1\]"),
        ({"l2t_episodes": 0}, r"l2t_episodes: expected a value in \[1, inf\)"),
        ({"l2t_episode_epochs": 0}, r"l2t_episode_epochs: expected a value in \[1, inf\)"),
        ({"epochs": 0}, "epochs: expected an integer of at least 1"),
    ],
)
def test_mistakes_are_one_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        compiled(**options)
