"""Learning to teach: the policy and its gradient by other routes, and the course of episodes."""

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
from tf_mwn.training.cross_entropy import CrossEntropy

rng = np.random.default_rng(0)


SIZE, STEPS = 24, 2  # training examples; steps in an epoch


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
    model = compiled(l2t_episode_epochs=2, l2t_episodes=2, seed=1)  # whose two rewards differ
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
