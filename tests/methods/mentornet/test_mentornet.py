"""MentorNet: the mentor is learned, weighs, and is left alone by training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods import registry
from tf_mwn.methods.mentornet import mentor_training
from tf_mwn.methods.mentornet.mentor_net import MentorNet, mentor_features
from tf_mwn.methods.mentornet.mentor_weighting import MentorWeighting
from tf_mwn.methods.mentornet.mentornet import MentorNetDD, MentorNetPD
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.monitoring.measures import noise_auc
from tf_mwn.settings.config import Config
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import WholeSets

LABELS = tf.constant([0, 1, 2, 0])
P_Y = np.array([0.9, 0.5, 0.2, 0.6])
FLIPS = np.array([[0.7, 0.3, 0], [0, 0.7, 0.3], [0.3, 0, 0.7]])
CENTRES = 2 * np.random.default_rng(0).normal(size=(3, 5))


class Constant(MentorNet):
    """A mentor that trusts every example."""

    def call(self, features):
        return tf.ones_like(features[:, 0])


def logits_of(p_y):
    """Logits [4, 3] that give each label its p_y and share the rest equally."""
    p = np.asarray(p_y)[:, None]
    return tf.constant(np.log(np.where(np.eye(3)[LABELS], p, (1 - p) / 2)), tf.float32)


def batch(step=0):
    return TrainingBatch(LABELS, cross_entropy, tf.constant([5, 1, 2, 0]), tf.constant(step))


def clouds(size, seed, spread=0.4, classes=3):
    rng = np.random.default_rng(seed)
    y = np.arange(size) % classes
    x = CENTRES[y % 3] + spread * rng.normal(size=(size, 5))
    return x.astype("float32"), y


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_numpy(mentor, features):
    """g, from the LSTM's equations with all its gates, states 0 before the only element."""
    v = {name: value.numpy().astype("float64") for name, value in mentor._parts.items()}
    x, label, percent = features[:, :2], *features[:, 2:].astype(int).T
    forget, before = sigmoid(x @ np.ones((2, 2))), np.zeros((len(x), 2))
    candidate = np.tanh(x @ v["candidate"] + v["candidate_bias"])
    cell = forget * before + sigmoid(x @ v["input_gate"] + v["input_gate_bias"]) * candidate
    joined = np.concatenate([cell, v["label_code"][label], v["percent_code"][percent]], axis=1)
    hidden = np.tanh(joined @ v["hidden"] + v["hidden_bias"])
    return sigmoid(hidden @ v["output"] + v["output_bias"])[:, 0]


def test_the_network_is_the_papers():
    mentor = MentorNet(3)
    features = np.array([[0.1, -0.4, 0, 0], [2.0, 1.5, 1, 99], [30.0, 5.0, 0, 18]])
    weights = mentor(tf.constant(features, tf.float32))
    np.testing.assert_allclose(weights, by_numpy(mentor, features), rtol=1e-5)
    # Two gates with biases, the label's code, 9-20-1; the percent's code is fixed.
    assert mentor.count_params() - 500 == 2 * (4 + 2) + 4 + (9 * 20 + 20) + (20 + 1)
    assert len(mentor.trainable_variables) == len(mentor.variables) - 1
    again = mentor_features(tf.constant([2.0]), tf.constant([1.5]), tf.constant(99))
    np.testing.assert_array_equal(again, [[2.0, 1.5, 0, 99]])


@pytest.fixture(scope="module")
def predefined_mentor():
    """The mentor of the default curriculum."""
    mentor = MentorNet()
    values = mentor_training.predefined_mentor("mixed", 0)
    for variable, value in zip(mentor.variables, values, strict=True):
        variable.assign(value)
    return mentor


def test_a_mentor_reproduces_the_three_stages_of_its_curriculum(predefined_mentor):
    """Ones, then the indicator of self-paced learning away from its jump, then a falling line."""
    grid = np.meshgrid(np.linspace(0, 12, 25), np.linspace(-4.5, 4.5, 46), np.arange(0, 100, 3))
    losses, differences, percent = (part.ravel() for part in grid)
    features = mentor_features(
        tf.constant(losses, tf.float32), tf.constant(differences, tf.float32), percent
    )
    line = np.clip(1 - differences, 0, 1)
    stages = [percent <= 18, (percent > 18) & (percent < 90), percent >= 90]
    error = np.abs(predefined_mentor(features) - np.select(stages, [1, differences <= 0, line]))
    away = np.abs(differences) > 0.3
    assert error[away & (percent < 90)].max() < 0.3  # a half would be the wrong side
    assert all(error[stage].mean() < 0.02 for stage in stages)


def test_a_mentor_is_learned_the_same_from_the_same_seed(predefined_mentor):
    mentor_training._predefined.cache_clear()
    again = mentor_training.predefined_mentor("mixed", 0)
    for variable, value in zip(predefined_mentor.variables, again, strict=True):
        np.testing.assert_array_equal(variable, value)


def weighting(mentor=None, **options):
    mentor = MentorNet(1) if mentor is None else mentor
    return MentorWeighting(mentor, 6, steps_per_epoch=10, epochs=20, **options)


def test_the_running_percentile_by_hand():
    objective = weighting(percentile=0.5, memory=0.5)
    objective.observe(logits_of(P_Y), batch(0))
    first = 0.5 * -np.log(0.6)  # the second smallest of four, and the start at 0
    np.testing.assert_allclose(objective.scalars()["percentile"], first, rtol=1e-4)
    objective.observe(logits_of([0.99, 0.98, 0.97, 0.96]), batch(1))
    second = 0.5 * first + 0.5 * -np.log(0.98)
    np.testing.assert_allclose(objective.scalars()["percentile"], second, rtol=1e-4)


def test_weights_are_the_mentors_at_this_stage():
    objective = weighting(percentile=0.5)
    objective.observe(logits_of(P_Y), batch(151))  # 75.5 %
    value, weights = objective.objective(logits_of(P_Y), batch(151))
    losses = -np.log(P_Y)
    features = np.stack([losses, losses + 0.5 * np.log(0.6), 0 * losses, 0 * losses + 75], axis=1)
    expected = by_numpy(objective.mentor, features)
    np.testing.assert_allclose(weights, expected, rtol=1e-4)
    np.testing.assert_allclose(value, np.mean(expected * losses), rtol=1e-4)


def test_the_percent_stops_at_99_and_freezes_after_the_burn_in():
    late, frozen = weighting(), weighting(burn_in=18, freezes=True)
    losses = tf.constant([0.1, 1.0])

    def told(objective, percent):
        differences = losses - objective.scalars()["percentile"]
        return objective.mentor(mentor_features(losses, differences, percent))

    for step, percent in ((0, 0), (33, 16), (34, 17), (100, 50), (199, 99), (250, 99)):
        for objective in (late, frozen):
            objective.observe(logits_of(P_Y), batch(step))
        np.testing.assert_allclose(late.curve(losses), told(late, percent))
        wanted = np.ones(2) if percent < 17 else told(frozen, min(percent, 18))
        np.testing.assert_allclose(frozen.curve(losses), wanted)


def test_example_dropout_keeps_exactly_its_part_of_the_weights():
    objective = weighting(Constant(), example_dropout="0.5,50,0.25,50")
    seen = np.zeros(4)
    for step in range(60):
        objective.observe(logits_of(P_Y), batch(step))
        weights = objective.objective(logits_of(P_Y), batch(step))[1].numpy()
        assert sorted(weights) == [0, 0, 1, 1]
        seen += weights
    assert seen.min() > 20  # of 30 expected, whoever is asked
    objective.observe(logits_of(P_Y), batch(199))
    assert objective.objective(logits_of(P_Y), batch(199))[1].numpy().sum() == 3
    np.testing.assert_array_equal(objective.curve(tf.constant([1.0, 2.0])), [1, 1])


def elements(x, y, size=20):
    return paired_dataset(x, y, None, None, batch_size=size)


def compiled(model):
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    return model


def test_full_trust_without_dropout_is_plain_training():
    x, y = clouds(60, 1)
    trained = []
    for make in (
        CrossEntropy,
        lambda net: RobustModel(net, MentorWeighting(Constant(), 60, 3, epochs=3)),
    ):
        keras.utils.set_random_seed(2)
        model = compiled(make(mlp()))
        model.fit(elements(x, y), epochs=3, steps_per_epoch=3, verbose=0)
        trained.append(model.classifier.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_step_on_a_linear_model():
    x, y = clouds(4, 3)
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    objective = weighting(percentile=0.75, example_dropout="0.5,100", seed=4)
    model = RobustModel(classifier, objective)
    model.compile(keras.optimizers.SGD(0.1))
    kernel, bias = (value.astype("float64") for value in classifier.get_weights())
    ids = np.array([5, 1, 2, 0])
    element = {"inputs": tf.constant(x), "sample_id": tf.constant(ids)}
    drops = objective._takes_part(TrainingBatch(y, cross_entropy, ids, tf.constant(0))).numpy()
    model.train_step((element, tf.constant(y)))

    z = x @ kernel + bias
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(4), y])
    differences = losses - 0.5 * np.sort(losses)[2]
    features = np.stack([losses, differences, 0 * losses, 0 * losses], axis=1)
    v = by_numpy(objective.mentor, features) * drops
    cotangent = v[:, None] * (p - np.eye(3)[y]) / 4
    assert drops.sum() == 2
    np.testing.assert_allclose(classifier.get_weights()[0], kernel - 0.1 * x.T @ cotangent, 1e-4)
    np.testing.assert_allclose(
        classifier.get_weights()[1], bias - 0.1 * cotangent.sum(axis=0), 1e-4, 1e-6
    )


def noisy_clouds(size, seed, classes=3):
    x, y = clouds(size, seed, classes=classes)
    rng = np.random.default_rng(seed)
    given = np.where(rng.random(size) < 0.3, (y + 1) % classes, y)
    return x, given, given != y


@pytest.fixture(scope="module")
def data_driven():
    """A model that has learned its mentor, and trained by it."""
    keras.utils.set_random_seed(0)
    x, y, is_wrong = noisy_clouds(300, 5)
    model = compiled(MentorNetDD(mlp(), 300, 15, 10, FLIPS, mentor_example_dropout="0,100"))
    model.whole_sets = WholeSets.from_arrays(x, y, *clouds(90, 6))
    model.fit(elements(x, y), epochs=10, steps_per_epoch=15, verbose=0)
    return model, x, y, is_wrong


def test_a_data_driven_mentor_tells_wrong_labels(data_driven):
    model, x, y, is_wrong = data_driven
    weights = model.sample_weight(y, model.predict(x, verbose=0)).numpy()
    assert noise_auc(weights, is_wrong) > 0.9
    assert weights[~is_wrong].mean() > weights[is_wrong].mean() + 0.3


def test_training_leaves_the_mentor_alone(data_driven):
    model = data_driven[0]
    assert {id(v) for v in model.trainable_variables} == {
        id(v) for v in model.classifier.trainable_variables
    }
    before = [value.numpy() for value in model.mentor.variables]
    model.fit(elements(*data_driven[1:3]), epochs=1, steps_per_epoch=15, verbose=0)
    for value, variable in zip(before, model.mentor.variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    held = {id(variable) for variable in model.state_variables()}
    assert {id(variable) for variable in model.mentor.variables} <= held


def test_a_resumed_model_learns_no_mentor_again(data_driven):
    model, x, y, _ = data_driven
    fresh = compiled(MentorNetDD(mlp(), 300, 15, 10, FLIPS, mentor_example_dropout="0,100"))
    assert fresh.needs_whole_sets and not fresh.mentor_is_ready
    for variable, value in zip(fresh.state_variables(), model.state_variables(), strict=True):
        variable.assign(value)
    fresh.learn_mentor = None
    fresh.fit(elements(x, y), epochs=1, steps_per_epoch=15, verbose=0)
    for a, b in zip(fresh.mentor.variables, model.mentor.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_mentor_moves_to_other_classes_by_file(data_driven, tmp_path):
    data_driven[0].mentor.save(tmp_path / "mentor.json")
    x, y, is_wrong = noisy_clouds(100, 7, classes=5)
    options = {**vars(Config()), "mentor": str(tmp_path / "mentor.json")}
    facts = TrainingFacts(5, 100, np.full(5, 20), 5, 4, 100, seed=0)
    model = compiled(registry.build(registry.find("mentornet_dd"), mlp(5), options, facts))
    before = [value.numpy() for value in data_driven[0].mentor.variables]
    model.fit(elements(x, y), epochs=4, steps_per_epoch=5, verbose=0)  # no meta set
    for value, variable in zip(before, model.mentor.variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    model.save(tmp_path / "model.keras")
    (tmp_path / "mentor.json").unlink()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    logits = model.predict(x, verbose=0)
    np.testing.assert_array_equal(loaded.sample_weight(y, logits), model.sample_weight(y, logits))


def test_a_file_that_holds_no_mentor_is_one_sentence(tmp_path):
    path = tmp_path / "other.json"
    MentorNet().save(path)
    for text in ("{", "[]", "{}", path.read_text().replace('"hidden"', '"hiden"')):
        path.write_text(text)
        with pytest.raises(ValueError, match="^mentor: expected"):
            MentorNet.load(path)
    with pytest.raises(OSError):
        MentorNet.load(tmp_path / "nothing.json")


def test_a_missing_need_is_one_sentence():
    with pytest.raises(ValueError, match="^mentor: expected.*transition_matrix"):
        MentorNetDD(mlp(), 60, 3, 10)
    model = compiled(MentorNetDD(mlp(), 60, 3, 10, FLIPS))
    x, y = clouds(60, 1)
    model.whole_sets = WholeSets.from_arrays(x, y)
    with pytest.raises(ValueError, match="whole_sets.*meta set"):
        model.fit(elements(x, y), epochs=1, steps_per_epoch=3, verbose=0)
    facts = TrainingFacts(3, 60, np.full(3, 20), 3, 10, 60, seed=0)
    with pytest.raises(ValueError, match="transition_matrix.*--mentor"):
        registry.build(registry.find("mentornet_dd"), mlp(), vars(Config()), facts)
    with pytest.raises(ValueError, match="did you mean 'mixed'"):
        MentorNetPD(mlp(), 60, 3, 10, mentor_curriculum="mixd")
