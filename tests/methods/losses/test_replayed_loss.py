"""Replaying the hyper-parameters of an adaptive run."""

import keras
import numpy as np
import pytest

from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.methods.losses.replayed_loss import ReplayedLoss, read_trajectory
from tf_mwn.methods.losses.robust_losses import gce
from tf_mwn.training.robust_model import RobustModel

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 5)).astype("float32"), rng.integers(0, 3, 40)
STEPS = 4


def trained(objective, epochs, build=RobustModel):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = build(classifier, objective)
    model.compile(keras.optimizers.SGD(0.5))
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: seen.append(
            {k: float(v) for k, v in model.training_objective.scalars().items()}
        )
    )
    model.fit(paired_dataset(X, Y, None, None, 10), epochs=epochs, verbose=0, callbacks=[watch])
    return classifier.get_weights(), seen


def test_values_are_linear_between_epochs_and_stay_at_the_last():
    loss = PolySoft(5.0, 2.0)
    replayed = ReplayedLoss(loss, {"lambda_": [3.0, 4.0], "d": [2.0, 1.5]}, STEPS)
    _, seen = trained(replayed, epochs=3)
    expected = [5, 4.5, 4, 3.5, 3, 3.25, 3.5, 3.75, 4, 4, 4, 4]
    np.testing.assert_allclose([now["lambda"] for now in seen], expected)
    np.testing.assert_allclose([now["d"] for now in seen[:9]][4:], [2, 1.875, 1.75, 1.625, 1.5])


def test_a_constant_trajectory_is_the_fixed_loss():
    replayed = ReplayedLoss(GeneralizedCrossEntropy(0.4), {"q": [0.4] * 3}, STEPS)
    weights, _ = trained(replayed, epochs=3)
    fixed, _ = trained(None, epochs=3, build=lambda c, _: gce(c, 0.4))
    for a, b in zip(weights, fixed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_reads_what_an_adaptive_run_writes(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,loss,hyper_lambda,hyper_d\n1,0.5,4.5,2\n2,0.4,4,1.5\n")
    recorded = read_trajectory(str(path), ("lambda_", "d"))
    assert recorded == {"lambda_": [4.5, 4.0], "d": [2.0, 1.5]}


@pytest.mark.parametrize("text", ["epoch,loss\n1,0.5\n", ""])
def test_a_file_without_a_trajectory_is_one_sentence(tmp_path, text):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match="trajectory: expected one of the columns hyper_q"):
        read_trajectory(str(path), ("q",))
    with pytest.raises(ValueError, match="trajectory: expected the metrics.csv"):
        read_trajectory(str(tmp_path / "none.csv"), ("q",))


@pytest.mark.parametrize("trajectory", [{}, {"p": [1.0]}, {"q": []}])
def test_a_trajectory_that_does_not_fit_the_loss_is_refused(trajectory):
    with pytest.raises(ValueError, match="trajectory: expected values of some of q"):
        ReplayedLoss(GeneralizedCrossEntropy(0.5), trajectory, STEPS)


def test_a_replayed_model_saves_and_loads(tmp_path):
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = RobustModel(classifier, ReplayedLoss(GeneralizedCrossEntropy(0.5), {"q": [0.7]}, STEPS))
    model.compile(keras.optimizers.SGD(0.1))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.training_objective.get_config() == model.training_objective.get_config()
