"""`fit` on arrays is `fit` on what `paired_dataset` makes of them, and Keras' own contract."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.models import batch, mlp, two_inputs
from tf_mwn import (
    CleanOnly,
    CrossEntropy,
    GoldLossCorrection,
    MeanLoss,
    MetaWeightNet,
    Robust,
    RobustModel,
    paired_dataset,
)
from tf_mwn.data.streams.pairing import _mass
from tf_mwn.training.given_data import Arrays

(X, Y), (XM, YM) = batch([(5,)], 40, 0), batch([(5,)], 10, 1)
META = {"x_meta": XM, "y_meta": YM}
COUNTS = np.linspace(0, 2, 40)
BY_CLASS = {1: 0.5, 2: 2.0}


def pairs(**options):
    return paired_dataset(X, Y, XM, YM, batch_size=10, **options)


class Batches(keras.utils.PyDataset):
    """The elements of a data set by number."""

    def __init__(self, dataset):
        super().__init__()
        self._elements = list(dataset.as_numpy_iterator())

    def __len__(self):
        return len(self._elements)

    def __getitem__(self, index):
        return self._elements[index]


def trained(cls, *, data=None, **options):
    """The weights after two epochs of four steps."""
    keras.utils.set_random_seed(0)
    model = cls(mlp())
    model.compile(keras.optimizers.SGD(0.3))
    given = {"x": X, "y": Y, "batch_size": 10, **META} if data is None else {"x": data}
    model.fit(**given, **{"epochs": 2, "verbose": 0, **options})
    return model.get_weights()


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def plain():
    """The weights without weights of examples."""
    return trained(MetaWeightNet)


def test_arrays_are_what_paired_dataset_makes_of_them(plain):
    assert same(plain, trained(MetaWeightNet, data=pairs()))


def test_weights_of_1_change_no_bit(plain):
    assert same(plain, trained(MetaWeightNet, sample_weight=np.ones(40)))


def test_weights_of_classes_are_weights_of_examples(plain):
    wanted = trained(MetaWeightNet, sample_weight=np.array([1.0, 0.5, 2.0])[Y])
    assert not same(plain, wanted)
    assert same(wanted, trained(MetaWeightNet, data=pairs(), class_weight=BY_CLASS))


def test_class_shares_count_examples_as_often_as_their_weights_say():
    """In arrays, one-hot labels and streams; and in the logits of `Robust`."""
    wanted = np.bincount(Y, COUNTS, 3)
    stream = tf.data.Dataset.from_tensor_slices((X, Y))
    for x, y in ((X, Y), (X, np.eye(3)[Y]), (stream, None)):
        dataset = paired_dataset(
            x,
            y,
            XM,
            YM if y is None or y.ndim == 1 else np.eye(3)[YM],
            10,
            sample_weight=COUNTS,
        )
        np.testing.assert_allclose(dataset.pairing.class_counts(3), wanted, rtol=1e-6)
    model = Robust(mlp(), fine_tuning_epochs=0)
    model.compile("sgd")
    model.fit(X, Y, **META, sample_weight=COUNTS, class_weight=BY_CLASS, verbose=0)
    counts = model.logit_adjustment.class_counts
    np.testing.assert_allclose(counts, wanted * [1.0, 0.5, 2.0], rtol=1e-6)


def test_all_kinds_of_streams_take_weights():
    """As third part of the elements, and of classes."""
    stream = paired_dataset(X, Y, XM, YM, 10, sample_weight=COUNTS, shuffle=False)
    once = stream.take(4).cache()
    kinds = {
        "data set": once.map(lambda *parts: parts),
        "generator": (parts for _ in range(2) for parts in once.as_numpy_iterator()),
        "PyDataset": Batches(once),
    }
    options = {"class_weight": BY_CLASS, "shuffle": False}
    results = {
        kind: trained(CrossEntropy, data=data, **options, steps_per_epoch=steps)
        for (kind, data), steps in zip(kinds.items(), (None, 4, None), strict=True)
    }
    assert same(results["data set"], results["generator"])
    assert same(results["data set"], results["PyDataset"])
    keras.utils.set_random_seed(0)
    model = CrossEntropy(mlp())
    model.compile(keras.optimizers.SGD(0.3))
    for parts in [*once, *once]:
        model.train_on_batch(*parts, class_weight=BY_CLASS)
    assert same(results["data set"], model.get_weights())


def test_plain_training_is_that_of_keras():
    """Weights of examples and classes, a last batch that is not full, no shuffling, the logs."""
    options = {"batch_size": 12, "epochs": 2, "shuffle": False, "verbose": 0}
    options |= {"validation_split": 0.25}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for given in ({"class_weight": BY_CLASS}, {"sample_weight": COUNTS}):
        results = []
        for wrap in (lambda model: model, CrossEntropy):
            keras.utils.set_random_seed(0)
            model = wrap(mlp())
            model.compile("adam", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.filterwarnings("ignore", "__array__", DeprecationWarning)
                history = model.fit(X, Y, **options, **given).history
                scores = model.evaluate(X, Y, verbose=0, sample_weight=COUNTS)
                named = model.evaluate(X, Y, verbose=0, return_dict=True)
                one = model.test_on_batch(X, Y, COUNTS)
            results.append(([scores, one], history | named, model.get_weights()))
        (scores, logs, weights), (others, other_logs, other_weights) = results
        np.testing.assert_allclose(scores, others, rtol=1e-4)
        assert set(logs) == set(other_logs)
        for name in logs:
            np.testing.assert_allclose(logs[name], other_logs[name], rtol=1e-4, err_msg=name)
        for a, b in zip(weights, other_weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


FRAME = pd.DataFrame(X, columns=list("abcde"))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (tf.constant(X), tf.constant(Y)),
        (FRAME, pd.Series(Y, index=range(7, 47))),
        (FRAME, pd.DataFrame({"label": Y})),
        (X, Y[:, None].tolist()),
    ],
    ids=["tensors", "frame and series", "two frames", "a list of labels"],
)
def test_arrays_of_any_make(x, y):
    examples = Arrays.of(x, y)
    np.testing.assert_array_equal(examples.x, X)
    np.testing.assert_array_equal(examples.y, Y)


def test_several_inputs_and_a_set_smaller_than_the_batch():
    (left, right), y = batch([(4,), (2,)], 12, 0)
    for x in ([left, right], {"left": left, "right": pd.DataFrame(right)}):
        model = MetaWeightNet(two_inputs())
        model.compile("sgd")
        history = model.fit(x, y, x_meta=x, y_meta=y, verbose=0, validation_split=0.25)
        assert model.optimizer.iterations == 1 and "val_loss" in history.history


def test_whole_sets_are_made_of_the_arrays():
    model = GoldLossCorrection(mlp(), 3, 1)
    model.compile("sgd")
    model.fit(X, Y, **META, epochs=2, verbose=0)
    (clean, labels), *_ = model.whole_sets.meta
    np.testing.assert_array_equal(clean, XM)
    np.testing.assert_array_equal(labels, YM)
    model.fit(X[:20], Y[:20], **META, epochs=3, initial_epoch=2, verbose=0)
    assert sum(len(labels) for _, labels in model.whole_sets.train) == 20


def test_steps_go_on_through_the_arrays():
    model = CrossEntropy(mlp())
    model.compile("sgd")
    model.fit(X, Y, steps_per_epoch=3, epochs=4, initial_epoch=1, verbose=0)
    assert model.optimizer.iterations == 9


class Own(MeanLoss):
    takes_sample_weight = False


@pytest.mark.parametrize(
    ("cls", "given", "message"),
    [
        (CleanOnly, {"sample_weight": COUNTS}, "^sample_weight: .*with CleanOnly, which reads no"),
        (CleanOnly, {"class_weight": BY_CLASS}, "^class_weight: .*with CleanOnly, which reads no"),
        (lambda c: RobustModel(c, Own()), {"class_weight": BY_CLASS}, "class_weight: .*with Own, "),
        (CrossEntropy, {"class_weight": {3: 1.0}}, "class_weight: expected classes below 3, rec"),
        (CrossEntropy, {"class_weight": {0: -1.0}}, r"class_weight of class 0: .*\[0, inf\)"),
        (
            CrossEntropy,
            {"sample_weight": COUNTS[1:]},
            "y, sample_weight: .*length, received 40",
        ),
        (CrossEntropy, {"sample_weight": -COUNTS}, r"sample_weight: expected values in \[0"),
        (CrossEntropy, {"validation_split": 0.999}, "validation_split: .* 40 examples .* 0.999"),
        (CrossEntropy, {"y": None}, "y: expected labels with the arrays x, received none"),
        (MetaWeightNet, {"x_meta": None}, "x_meta: expected together with y_meta, rec"),
        (MetaWeightNet, {"x_meta": None, "y_meta": None}, "no meta set, so give x_meta and y_meta"),
        (CrossEntropy, {"x": pairs(), "y": None}, "x_meta: expected arrays x with it"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(cls, given, message):
    model = cls(mlp())
    model.compile("sgd")
    before = model.get_weights()
    with pytest.raises(ValueError, match=message) as error:
        model.fit(**{"x": X, "y": Y, **META, "verbose": 0, **given})
    assert "\n" not in str(error.value) and same(before, model.get_weights())


def test_what_compile_takes_by_another_name():
    with pytest.raises(ValueError, match="meta_optimizer: .* received 'mse'; a loss is given as"):
        MetaWeightNet(mlp()).compile("sgd", "mse")
    with pytest.raises(ValueError, match="loss_weights: expected None, as there is one output"):
        CrossEntropy(mlp()).compile("sgd", loss_weights=[2.0])


def test_weights_in_a_stream_are_checked():
    model = CrossEntropy(mlp())
    model.compile("sgd")
    for weigh, message in (
        (
            lambda labels: tf.cast(labels, tf.float32) - 1,
            r"sample_weight in \[0, inf\)",
        ),
        (lambda labels: tf.ones([4]), "as many sample_weight as y in a batch, 10, received 4"),
        (
            lambda labels: tf.ones([10, 3]),
            r"sample_weight in shape \[B\], received shape \[10",
        ),
    ):
        stream = pairs().map(lambda x, y, weigh=weigh: (x, y, weigh(y)))
        with pytest.raises(ValueError, match=message):
            model.fit(stream, verbose=0)


def test_validation_data_go_before_a_split():
    model = CrossEntropy(mlp())
    model.compile("sgd")
    model.fit(X, Y, 10, validation_split=0.5, validation_data=(X, Y), verbose=0)
    assert model.optimizer.iterations == 4


def test_robust_says_what_the_others_say_of_labels():
    found = []
    for cls in (MetaWeightNet, Robust):
        model = cls(mlp())
        model.compile("sgd")
        with pytest.raises(ValueError, match="^fit: expected y to be below the") as error:
            model.fit(X, Y + 1, **META, verbose=0)
        found.append(str(error.value))
    assert found[0] == found[1]


def test_labels_that_do_not_count_have_no_share():
    model = Robust(mlp(), fine_tuning_epochs=0)
    model.compile("sgd", ignore_class=255)
    given = np.where(np.arange(len(Y)) < 7, 255, Y)
    model.fit(X, given, **META, verbose=0)
    assert model.logit_adjustment.class_counts == np.bincount(Y[7:], minlength=3).tolist()


def test_labels_of_one_logit_may_be_floats_and_soft():
    inputs = keras.Input((5,))
    model = Robust(keras.Model(inputs, keras.layers.Dense(1)(inputs)), fine_tuning_epochs=0)
    model.compile("sgd", loss="binary_crossentropy")
    y, y_meta = (Y > 0).astype("float32"), (YM > 0).astype("float32")
    model.fit(X, y, x_meta=XM, y_meta=y_meta, verbose=0)
    assert model.logit_adjustment.class_counts == np.bincount(Y > 0).tolist()
    soft = _mass(np.array([0.25, 1.0]), np.array([2.0, 1.0]), 2)
    np.testing.assert_allclose(soft, [1.5, 1.5])


def test_robust_takes_sequences_of_unequal_length():
    def sentences():
        for length in (3, 5, 4, 6):
            yield np.ones(length, "int64"), length % 2

    spec = tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int64)
    stream = tf.data.Dataset.from_generator(sentences, output_signature=spec)
    pairing = paired_dataset(stream, None, stream, None, batch_size=2).pairing
    x, y = pairing.clean_examples()
    assert x.shape == (4, 6) and y.tolist() == [1, 1, 0, 0]
    train, meta = pairing.whole(3)
    assert [len(labels) for _, labels in train] == [len(labels) for _, labels in meta] == [3, 1]
    assert [features["sample_id"].numpy().tolist() for features, _ in train] == [[0, 1, 2], [3]]
