"""The options of the methods. `tf_mwn.methods.registry` says which method reads which."""

import dataclasses

from tf_mwn.engine import SPEEDS, VIRTUAL_STEPS, VIRTUAL_VARIABLES
from tf_mwn.losses import admissible
from tf_mwn.methods.meta_weight_net import NORMALIZATIONS
from tf_mwn.methods.rules import AGES, RESAMPLING_KINDS, ROBUST_FUNCTIONS
from tf_mwn.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class MethodSettings:
    """Options of the methods, with the defaults of their papers."""

    # Meta-learning.
    weight_net_units: tuple[int, ...] = setting(
        (100,), "Hidden layer sizes of the weight net.", least=1
    )
    weight_normalization: str = setting(
        "none", "How weights enter the training loss.", choices=NORMALIZATIONS
    )
    speed: str = setting("exact", "fast: as --meta_interval=5 --reuse_gradient.", choices=SPEEDS)
    virtual_variables: str = setting(
        "all", "What the virtual step moves.", choices=VIRTUAL_VARIABLES
    )
    virtual_step: str = setting(
        "plain",
        "Virtual SGD step: plain, or with the optimizer's momentum and weight decay.",
        choices=VIRTUAL_STEPS,
    )
    meta_interval: int = setting(1, "Meta update every k-th step.", least=1)
    reuse_gradient: bool = setting(
        False, "The classifier steps by the virtual gradient, of the Θ before its update."
    )
    recompute: bool = setting(
        False, "A second forward pass instead of kept activations: less memory, same numbers."
    )
    detach_loss: bool = setting(True, "The weight net's input is constant in the gradient.")
    meta_batch_size: int | None = setting(
        None, "Meta batch size; the batch size (or the meta set, if smaller) by default.", least=1
    )
    meta_optimizer: str = setting("adam", "Optimizer of Θ.", choices=("adam", "sgd"))
    meta_learning_rate: float = setting(1e-3, "Learning rate of Θ.", above=0)
    meta_weight_decay: float = setting(0.0, "Weight decay of Θ, added to the gradient.", least=0)
    # Robust losses; initial values where the loss is adaptive.
    gce_q: float = setting(0.7, "q of the generalised cross-entropy.", within=admissible.GCE_Q)
    truncated_gce_k: float = setting(
        0.5, "Examples with p_y below k are pruned.", within=admissible.TRUNCATION
    )
    truncated_gce_start: float = setting(
        1 / 3, "Fraction of the epochs before pruning.", within=admissible.UNIT
    )
    truncated_gce_epochs: int = setting(10, "Epochs between two prunings.", least=1)
    sce_alpha: float = setting(
        0.1, "Weight of the cross-entropy in SCE.", within=admissible.NON_NEGATIVE
    )
    sce_beta: float = setting(
        1.0, "Weight of the reverse cross-entropy in SCE.", within=admissible.NON_NEGATIVE
    )
    sce_a: float = setting(
        admissible.LOG_ZERO, "What stands for ln 0 in SCE.", within=admissible.NEGATIVE
    )
    bi_tempered_t1: float = setting(
        0.8, "Temperature of the bi-tempered logarithm.", within=admissible.TEMPERATURE_1
    )
    bi_tempered_t2: float = setting(
        1.2, "Temperature of the bi-tempered softmax; at least t1.", within=admissible.NON_NEGATIVE
    )
    poly_soft_lambda: float = setting(5.0, "λ of PolySoft.", within=admissible.POSITIVE)
    poly_soft_d: float = setting(2.0, "d of PolySoft.", within=admissible.POLY_SOFT_D)
    trajectory: str | None = setting(
        None,
        "metrics.csv of an adaptive run, whose hyper-parameters a fixed loss shall follow.",
        names_file=True,
    )
    focal_gamma: float = setting(2.0, "γ of the focal loss.", within=admissible.NON_NEGATIVE)
    focal_detach: bool = setting(False, "The focal modulator is constant in the gradient.")
    class_balanced_beta: float = setting(
        0.9999, "β of the effective number of examples.", within=admissible.CLASS_BALANCED_BETA
    )
    ldam_max_margin: float = setting(
        0.5, "LDAM's margin of the rarest class, in logits.", within=admissible.NON_NEGATIVE
    )
    ldam_scale: float = setting(
        1.0, "LDAM's scale; 30 with a normalised last layer.", within=admissible.POSITIVE
    )
    ldam_defer: float = setting(
        0.8, "Fraction of the epochs before LDAM re-weights.", within=admissible.UNIT
    )
    reed_soft_beta: float = setting(
        0.95, "Share of the given label in soft bootstrapping.", within=admissible.UNIT
    )
    reed_hard_beta: float = setting(
        0.8, "Share of the given label in hard bootstrapping.", within=admissible.UNIT
    )
    # Sample weights by a fixed rule.
    self_paced_age: str = setting("percentile", "What the age λ follows.", choices=AGES)
    self_paced_lambda: float = setting(
        2.5, "λ of the first epoch; for age growing.", within=admissible.NON_NEGATIVE
    )
    self_paced_growth: float = setting(
        1.1, "Factor on λ per epoch; for age growing.", within=admissible.AT_LEAST_ONE
    )
    self_paced_fraction: float = setting(
        0.75, "Fraction of a batch that takes part; for age percentile.", within=admissible.FRACTION
    )
    linear_lambda: float = setting(5.0, "λ of linear weights.", within=admissible.POSITIVE)
    polynomial_lambda: float = setting(5.0, "λ of polynomial weights.", within=admissible.POSITIVE)
    polynomial_d: float = setting(3.0, "d of polynomial weights.", within=admissible.POLY_SOFT_D)
    focal_alpha: float = setting(2.0, "α of focal weights.", within=admissible.NON_NEGATIVE)
    hard_mining_lambda: float = setting(
        0.5, "Least loss of a hard example.", within=admissible.NON_NEGATIVE
    )
    variance_epsilon: float = setting(
        0.2, "What prediction variance adds to each weight.", within=admissible.POSITIVE
    )
    variance_warmup_epochs: int = setting(15, "Epochs before prediction variance weighs.", least=0)
    iterative_function: str = setting(
        "geman_mcclure", "Robust function of iterative re-weighting.", choices=ROBUST_FUNCTIONS
    )
    iterative_sigma: float = setting(
        1.0, "σ of Geman-McClure; σ² is a loss.", within=admissible.POSITIVE
    )
    iterative_q: float = setting(0.7, "q of the weights p_y^q.", within=admissible.GCE_Q)
    iterative_k: float = setting(
        0.05, "Least p_y of an example that is kept.", within=admissible.TRUNCATION
    )
    iterative_epochs: int = setting(1, "Epochs between two renewals of the weights.", least=1)
    ada_boost_epochs: int = setting(5, "Epochs of a boosting round.", least=1)
    ada_boost_clip: float = setting(
        10.0, "Largest boosting weight a step uses.", within=admissible.AT_LEAST_ONE
    )
    instance_clip: float = setting(
        100.0, "Largest weight by class priors.", within=admissible.POSITIVE
    )
    resampling_kind: str = setting(
        "over",
        "Repeat examples of rare classes, or leave out frequent ones.",
        choices=RESAMPLING_KINDS,
    )
