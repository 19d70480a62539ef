"""The public names, for type checkers, and for `__init__.py`, which loads one when it is used."""

from tf_mwn.auditing.audit import audit as audit
from tf_mwn.data.streams.pipeline import paired_dataset as paired_dataset
from tf_mwn.engine.optimizers import CoupledAdam as CoupledAdam
from tf_mwn.engine.optimizers import CoupledSGD as CoupledSGD
from tf_mwn.estimators.classifier import RobustClassifier as RobustClassifier
from tf_mwn.methods.correction.d2l import D2L as D2L
from tf_mwn.methods.correction.glc import GoldLossCorrection as GoldLossCorrection
from tf_mwn.methods.correction.s_model import ComplexSModel as ComplexSModel
from tf_mwn.methods.correction.s_model import SModel as SModel
from tf_mwn.methods.hyper_parameters.architecture_gate import ArchitectureGate as ArchitectureGate
from tf_mwn.methods.hyper_parameters.architecture_gate import gated_classifier as gated_classifier
from tf_mwn.methods.hyper_parameters.hypergradient_descent import (
    HypergradientDescent as HypergradientDescent,
)
from tf_mwn.methods.hyper_parameters.learned_weight_decay import (
    LearnedWeightDecay as LearnedWeightDecay,
)
from tf_mwn.methods.losses.learned_loss import LearnedLoss as LearnedLoss
from tf_mwn.methods.mentornet.mentor_net import MentorNet as MentorNet
from tf_mwn.methods.mentornet.mentornet import MentorNetDD as MentorNetDD
from tf_mwn.methods.mentornet.mentornet import MentorNetPD as MentorNetPD
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet as MetaWeightNet
from tf_mwn.methods.meta_weight_net.robust import Robust as Robust
from tf_mwn.methods.meta_weight_net.weight_net import WeightNet as WeightNet
from tf_mwn.methods.meta_weight_net.weight_net_file import load_weight_net as load_weight_net
from tf_mwn.methods.meta_weight_net.weight_net_file import save_weight_net as save_weight_net
from tf_mwn.methods.reweighting.class_aware_net import ClassAwareNet as ClassAwareNet
from tf_mwn.methods.reweighting.cmw_net import CMWNet as CMWNet
from tf_mwn.methods.reweighting.cmw_net_sl import CMWNetSL as CMWNetSL
from tf_mwn.methods.reweighting.l2rw import L2RW as L2RW
from tf_mwn.methods.teachers.clean_set import CleanAdded as CleanAdded
from tf_mwn.methods.teachers.clean_set import CleanOnly as CleanOnly
from tf_mwn.methods.teachers.co_teaching import CoTeaching as CoTeaching
from tf_mwn.methods.teachers.fwl import FidelityWeighted as FidelityWeighted
from tf_mwn.methods.teachers.learning_to_teach import LearningToTeach as LearningToTeach
from tf_mwn.methods.teachers.loss_teacher import LossTeacher as LossTeacher
from tf_mwn.monitoring.health import Health as Health
from tf_mwn.training.cross_entropy import CrossEntropy as CrossEntropy
from tf_mwn.training.logit_adjustment import LogitAdjustment as LogitAdjustment
from tf_mwn.training.mean_loss import MeanLoss as MeanLoss
from tf_mwn.training.meta_learned import MetaLearnedModel as MetaLearnedModel
from tf_mwn.training.meta_learner import MetaLearner as MetaLearner
from tf_mwn.training.robust_model import RobustModel as RobustModel
from tf_mwn.training.whole_sets import WholeSets as WholeSets

__version__: str
