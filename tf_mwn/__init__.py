"""tf_mwn: robust deep learning by meta-learning, in TensorFlow and Keras.

`MetaWeightNet` trains a Keras classifier with sample weights that it learns on a small clean set.
`paired_dataset` makes the pairs of training and meta batches for it. Importing the package loads
neither TensorFlow nor Keras; the first use of a public name does.
"""

import importlib
import importlib.metadata
import re

from tf_mwn.registration import register_when_keras_is_loaded

__version__ = "0.1.0"

_PUBLIC = {
    "ArchitectureGate": "tf_mwn.methods.hyper_parameters.architecture_gate",
    "CleanAdded": "tf_mwn.methods.teachers.clean_set",
    "CleanOnly": "tf_mwn.methods.teachers.clean_set",
    "ComplexSModel": "tf_mwn.methods.correction.s_model",
    "CoTeaching": "tf_mwn.methods.teachers.co_teaching",
    "CoupledAdam": "tf_mwn.engine.optimizers",
    "CoupledSGD": "tf_mwn.engine.optimizers",
    "CMWNet": "tf_mwn.methods.reweighting.cmw_net",
    "CMWNetSL": "tf_mwn.methods.reweighting.cmw_net_sl",
    "ClassAwareNet": "tf_mwn.methods.reweighting.class_aware_net",
    "CrossEntropy": "tf_mwn.training.cross_entropy",
    "D2L": "tf_mwn.methods.correction.d2l",
    "FidelityWeighted": "tf_mwn.methods.teachers.fwl",
    "LogitAdjustment": "tf_mwn.training.logit_adjustment",
    "GoldLossCorrection": "tf_mwn.methods.correction.glc",
    "Health": "tf_mwn.monitoring.health",
    "HypergradientDescent": "tf_mwn.methods.hyper_parameters.hypergradient_descent",
    "L2RW": "tf_mwn.methods.reweighting.l2rw",
    "LearnedLoss": "tf_mwn.methods.losses.learned_loss",
    "LearnedWeightDecay": "tf_mwn.methods.hyper_parameters.learned_weight_decay",
    "LearningToTeach": "tf_mwn.methods.teachers.learning_to_teach",
    "LossTeacher": "tf_mwn.methods.teachers.loss_teacher",
    "MeanLoss": "tf_mwn.training.mean_loss",
    "MentorNet": "tf_mwn.methods.mentornet.mentor_net",
    "MentorNetDD": "tf_mwn.methods.mentornet.mentornet",
    "MentorNetPD": "tf_mwn.methods.mentornet.mentornet",
    "MetaLearnedModel": "tf_mwn.training.meta_learned",
    "MetaLearner": "tf_mwn.training.meta_learner",
    "MetaWeightNet": "tf_mwn.methods.meta_weight_net.meta_weight_net",
    "Robust": "tf_mwn.methods.meta_weight_net.robust",
    "RobustClassifier": "tf_mwn.estimators.classifier",
    "RobustModel": "tf_mwn.training.robust_model",
    "SModel": "tf_mwn.methods.correction.s_model",
    "WholeSets": "tf_mwn.training.whole_sets",
    "WeightNet": "tf_mwn.methods.meta_weight_net.weight_net",
    "audit": "tf_mwn.auditing.audit",
    "gated_classifier": "tf_mwn.methods.hyper_parameters.architecture_gate",
    "load_weight_net": "tf_mwn.methods.meta_weight_net.weight_net_file",
    "paired_dataset": "tf_mwn.data.streams.pipeline",
    "save_weight_net": "tf_mwn.methods.meta_weight_net.weight_net_file",
}
__all__ = sorted(_PUBLIC)

_LEAST = (
    (("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-rocm"), (2, 21)),
    (("keras", "keras-nightly"), (3, 15)),
)


def _check_versions() -> None:
    """Refuses, in one sentence, a TensorFlow or Keras that is too old for this package."""
    for names, least in _LEAST:
        found = None
        for name in names:
            try:
                found = name, importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
        if found is None:
            continue  # built from source, without metadata: there is no version to compare
        numbers = tuple(int(number) for number in re.findall(r"\d+", found[1])[:2])
        if numbers < least:
            raise ImportError(
                f"tf_mwn needs {names[0]} >= {least[0]}.{least[1]}, found {found[0]} {found[1]}: "
                f"run pip install --upgrade {found[0]}"
            )


_check_versions()
register_when_keras_is_loaded()


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tf_mwn' has no attribute {name!r}")
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            "tf_mwn needs Keras on TensorFlow, found the backend "
            f"{keras.backend.backend()!r}: set KERAS_BACKEND=tensorflow"
        )
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_PUBLIC])
