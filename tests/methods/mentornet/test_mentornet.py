"""MentorNet: the mentor is learned from data, moves by file, and is left alone by training."""

import keras
import numpy as np
import pytest

from tests.methods.mentornet.mentors import clouds, compiled, elements
from tests.models import mlp
from tf_mwn.label_noise.measures import noise_auc
from tf_mwn.methods import registry
from tf_mwn.methods.mentornet.mentor_net import MentorNet
from tf_mwn.methods.mentornet.mentornet import MentorNetDD, MentorNetPD
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.settings.config import Config
from tf_mwn.training.whole_sets import WholeSets

FLIPS = np.array([[0.7, 0.3, 0], [0, 0.7, 0.3], [0.3, 0, 0.7]])


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
