"""The weights that a user gives the examples, in every method of the registry."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.every_method import BATCH, CLASSES, FACTS, SHORT, classifier, sets
from tests.models import cnn_with_batch_norm, element, mlp
from tf_mwn import MetaWeightNet
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.methods import registry
from tf_mwn.settings.config import Config
from tf_mwn.training.whole_sets import WholeSets

REFUSE = {"clean_only": "reads no example of the training set"}
# Options under which every example takes part from the first step.
SETTINGS = {"cmw_mixup": 0.0, "self_paced_fraction": 1.0, "mentor_example_dropout": "0,100"}
S = np.where(np.arange(BATCH) % 4 == 1, 0.0, 1.0).astype("float32")
KEPT = np.flatnonzero(S)


def compiled(name):
    keras.utils.set_random_seed(3)
    row = registry.METHODS[name]
    settings = {**vars(Config()), **SHORT, **SETTINGS}
    model = registry.build(row, classifier(), settings, FACTS)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.whole_sets = WholeSets.from_arrays(*sets())
    return model


def training_element():
    x, y, xm, ym = sets()
    data = {"inputs": x[:BATCH], "sample_id": np.arange(BATCH)}
    return {**data, "meta_inputs": xm[:BATCH], "meta_labels": ym[:BATCH]}, y[:BATCH]


def gradient(model, logits, batch):
    cotangent, weights = model.logits_gradient(logits, batch)
    return cotangent.numpy(), None if weights is None else weights.numpy()


@pytest.mark.parametrize("name", registry.METHODS)
def test_an_example_of_weight_0_is_as_if_left_out(name, monkeypatch):
    """Of the objective, and of the step that the method takes."""
    model, (data, labels) = compiled(name), training_element()
    if name in REFUSE:
        with pytest.raises(ValueError, match=f"sample_weight: .*{REFUSE[name]}"):
            model.checked((data, labels, S))
        return
    data, labels, weights = keras.tree.map_structure(tf.convert_to_tensor, (data, labels, S))
    ids, logits = data["sample_id"], model(data["inputs"])
    plain, weighed = (model.training_batch(labels, ids, s) for s in (None, weights))
    if model.training_objective.__class__.__name__ not in ("BranchGate", "FeatureChannel"):
        model.training_objective.observe(logits, plain)
        whole, given = gradient(model, logits, plain)
        rest, _ = gradient(model, logits, weighed)
        part, of_part = gradient(
            model, tf.gather(logits, KEPT), plain.part(lambda values: tf.gather(values, KEPT))
        )
        assert not rest[S == 0].any() and whole[S == 0].any()
        scale = rest[KEPT].max() / whole[KEPT].max()  # of a sum that they are divided by
        np.testing.assert_allclose(rest[KEPT], scale * whole[KEPT], rtol=1e-4, atol=1e-7)
        if given is None or np.allclose(given[KEPT], of_part):  # else they depend on the batch
            same = 1.0 if np.allclose(rest[KEPT], part, rtol=1e-4, atol=1e-7) else len(KEPT) / BATCH
            np.testing.assert_allclose(rest[KEPT], same * part, rtol=1e-4, atol=1e-7)
    seen, pullback = [], Linearisation.pullback

    def recorded(linear, cotangent, *args, **kwargs):
        seen.append(cotangent.numpy())
        return pullback(linear, cotangent, *args, **kwargs)

    monkeypatch.setattr(Linearisation, "pullback", recorded)
    model._step_kind = model.step_kind()
    if name not in ("mentornet_pd", "mentornet_dd"):  # which would learn a mentor
        model.begin_epoch()
    model.train_step((data, labels, weights))
    assert seen
    for cotangent in seen:
        assert not cotangent[:BATCH][S == 0].any() and cotangent[:BATCH][KEPT].any()


OPTIONS = [{"meta_fraction": 0.5, "recompute": True}, {"reuse_gradient": True}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_weight_counts_an_example_as_often_as_it_says(options):
    """Pairs of rows, so that half of the batch has the same weights as the whole."""
    times = np.repeat([2, 0, 1, 1, 0, 2], 2)
    data, labels = element([(5,)], 12)
    rows = np.concatenate([np.tile([2 * i, 2 * i + 1], n) for i, n in enumerate(times[::2])])
    repeated = {k: tf.gather(data[k], rows) for k in ("inputs", "sample_id")}
    results = []
    for given in (
        (data, labels, tf.constant(times, tf.float32)),
        ({**data, **repeated}, tf.gather(labels, rows)),
    ):
        keras.utils.set_random_seed(0)
        model = MetaWeightNet(mlp(), weight_normalization="sum", **options)
        model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(10.0))
        model.train_on_batch(*given)
        results.append([v.numpy() for v in model.trainable_variables])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def test_fused_batch_norm_leaves_the_weights_alone():
    data, labels = element([(6, 6, 2)], 12)
    weights, results = tf.constant(np.arange(12) / 6, tf.float32), []
    for fused in ("on", "off"):
        keras.utils.set_random_seed(0)
        model = MetaWeightNet(cnn_with_batch_norm())
        model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(10.0), fused_batch_norm=fused)
        logs = model.train_on_batch(data, labels, weights, return_dict=True)
        results.append([*(v.numpy() for v in model.variables), logs["loss"]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_loss_that_v_sees_and_the_meta_loss_are_without_the_weights():
    """By hand: T = (1/n) Σ s v(l) l, of which each row's gradient is s v(l) (p - y)/n."""
    data, labels = element([(5,)], 12)
    model = MetaWeightNet(mlp())
    model.compile("sgd")
    z, s = model(data["inputs"]), np.arange(12, dtype="float32")
    cotangent, v = model.logits_gradient(z, model.training_batch(labels, None, tf.constant(s)))
    losses = model.per_example_loss(labels, z)
    np.testing.assert_array_equal(v, model.weight_net(losses))
    wanted = (s * v.numpy())[:, None] * (tf.nn.softmax(z).numpy() - np.eye(CLASSES)[labels]) / 12
    np.testing.assert_allclose(cotangent, wanted, rtol=1e-5, atol=1e-7)
