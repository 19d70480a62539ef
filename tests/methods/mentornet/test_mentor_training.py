"""A predefined mentor reproduces its curriculum."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.mentornet import mentor_training
from tf_mwn.methods.mentornet.mentor_net import MentorNet, mentor_features


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
