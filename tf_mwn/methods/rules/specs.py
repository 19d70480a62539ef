"""Methods that weigh the training examples by a fixed rule."""

from tf_mwn.checks import AT_LEAST_ONE, FRACTION, NON_NEGATIVE, POSITIVE
from tf_mwn.losses.admissible import GCE_Q, POLY_SOFT_D, TRUNCATION
from tf_mwn.methods.spec.method import Method
from tf_mwn.options import LOG_CLASSES, Option

# The papers search these values of the age λ.
AGE_GRID = (LOG_CLASSES, 3.0, 5.0, 10.0)

SELF_PACED_AGE = Option(
    "self_paced_age",
    "percentile",
    ("percentile", "growing"),
    "Rule for the age λ of self-paced learning: a percentile of the batch losses, or "
    "growth from epoch to epoch.",
)
SELF_PACED_LAMBDA = Option(
    "self_paced_lambda",
    2.5,
    NON_NEGATIVE,
    "Age λ in the first epoch. For --self_paced_age=growing.",
)
SELF_PACED_GROWTH = Option(
    "self_paced_growth",
    1.1,
    AT_LEAST_ONE,
    "Factor on the age λ per epoch. For --self_paced_age=growing.",
)
SELF_PACED_FRACTION = Option(
    "self_paced_fraction",
    0.75,
    FRACTION,
    "Fraction of each batch that takes part. For --self_paced_age=percentile.",
    grid=(0.5, 0.7, 0.9),
)
LINEAR_LAMBDA = Option(
    "linear_lambda",
    5.0,
    POSITIVE,
    "Age λ of linear weights: the loss from which an example no longer counts.",
    grid=AGE_GRID,
)
POLYNOMIAL_LAMBDA = Option(
    "polynomial_lambda",
    5.0,
    POSITIVE,
    "Age λ of polynomial weights: the loss from which an example no longer counts.",
    grid=AGE_GRID,
)
POLYNOMIAL_D = Option(
    "polynomial_d",
    3.0,
    POLY_SOFT_D,
    "Parameter d of polynomial weights, whose exponent is 1/(d-1).",
    grid=(1.5, 2.0, 3.0),
)
FOCAL_ALPHA = Option(
    "focal_alpha", 2.0, NON_NEGATIVE, "Exponent α of focal weights.", grid=(0.5, 1.0, 2.0)
)
HARD_MINING_LAMBDA = Option(
    "hard_mining_lambda", 0.5, NON_NEGATIVE, "Smallest loss of an example that counts as hard."
)
VARIANCE_EPSILON = Option(
    "variance_epsilon", 0.2, POSITIVE, "Constant that prediction variance adds to every weight."
)
VARIANCE_WARMUP_EPOCHS = Option(
    "variance_warmup_epochs",
    15,
    NON_NEGATIVE,
    "Number of epochs before the variance of the predictions decides the weights.",
)
ITERATIVE_FUNCTION = Option(
    "iterative_function",
    "geman_mcclure",
    ("geman_mcclure", "gce", "truncated"),
    "Robust function of iterative re-weighting.",
)
ITERATIVE_SIGMA = Option(
    "iterative_sigma",
    1.0,
    POSITIVE,
    "Scale σ of the Geman-McClure function. σ² is in units of the loss.",
)
ITERATIVE_Q = Option(
    "iterative_q", 0.7, GCE_Q, "Exponent q of the weights p_y^q, for --iterative_function=gce."
)
ITERATIVE_K = Option(
    "iterative_k",
    0.05,
    TRUNCATION,
    "Smallest probability of the given label of an example that is kept, for "
    "--iterative_function=truncated.",
)
ITERATIVE_EPOCHS = Option(
    "iterative_epochs",
    1,
    AT_LEAST_ONE,
    "Number of epochs between two updates of the weights of iterative re-weighting.",
)
ADA_BOOST_EPOCHS = Option(
    "ada_boost_epochs", 5, AT_LEAST_ONE, "Number of epochs in a boosting round."
)
ADA_BOOST_CLIP = Option(
    "ada_boost_clip", 10.0, AT_LEAST_ONE, "Largest boosting weight that a training step uses."
)
INSTANCE_CLIP = Option(
    "instance_clip", 100.0, POSITIVE, "Largest weight of re-weighting by class priors."
)
RESAMPLING_KIND = Option(
    "resampling_kind",
    "over",
    ("over", "under"),
    "Repeat examples of rare classes (over), or leave out examples of frequent ones (under).",
)

# The facts of methods that keep a history of every example.
HISTORY = ("num_sample_ids", "steps_per_epoch")


def _rule(name: str, title: str, paper: str, *options: Option, **others):
    others |= {"builder": f"tf_mwn.methods.rules.weightings:{name}", "gives_weights": True}
    others = {"sees": "losses", **others}
    return Method(name=name, title=title, paper=paper, options=options, **others)


METHODS = (
    _rule(
        "self_paced",
        "only examples with a loss up to an age λ",
        "Kumar et al., NeurIPS 2010",
        SELF_PACED_AGE,
        SELF_PACED_LAMBDA,
        SELF_PACED_GROWTH,
        SELF_PACED_FRACTION,
        facts=("steps_per_epoch",),
    ),
    _rule(
        "linear_weighting", "weights (1 - l/λ)+", "Jiang et al., ACM Multimedia 2014", LINEAR_LAMBDA
    ),
    _rule(
        "polynomial_weighting",
        "weights (1 - l/λ)+ to the power 1/(d-1)",
        "Gong et al., IEEE TEVC 2019",
        POLYNOMIAL_LAMBDA,
        POLYNOMIAL_D,
    ),
    _rule(
        "focal_weighting",
        "weights (1 - p)^α, not differentiated",
        "Lin et al., ICCV 2017, https://arxiv.org/abs/1708.02002",
        FOCAL_ALPHA,
    ),
    _rule(
        "hard_mining",
        "only examples with a large loss, and all of the small classes",
        "Malisiewicz et al., ICCV 2011",
        HARD_MINING_LAMBDA,
        sees="classes",
        facts=("class_counts",),
    ),
    _rule(
        "prediction_variance",
        "more weight where the prediction has varied",
        "Chang et al., NeurIPS 2017, https://arxiv.org/abs/1704.07433",
        VARIANCE_EPSILON,
        VARIANCE_WARMUP_EPOCHS,
        sees="classes",
        facts=HISTORY,
    ),
    _rule(
        "iterative_reweighting",
        "weights of a robust function of the loss, renewed every few epochs",
        "De la Torre and Black, IJCV 2003",
        ITERATIVE_FUNCTION,
        ITERATIVE_SIGMA,
        ITERATIVE_Q,
        ITERATIVE_K,
        ITERATIVE_EPOCHS,
        facts=HISTORY,
    ),
    _rule(
        "ada_boost",
        "misclassified examples gain weight after each round of epochs",
        "Freund and Schapire, JCSS 1997; Zhu et al., 2009 (SAMME)",
        ADA_BOOST_EPOCHS,
        ADA_BOOST_CLIP,
        sees="classes",
        facts=HISTORY,
    ),
    _rule(
        "instance_reweighting",
        "classes weighted as if all were equally frequent",
        "Zadrozny, ICML 2004",
        INSTANCE_CLIP,
        sees="classes",
        facts=("class_counts",),
    ),
    _rule(
        "random_weights",
        "rectified Gaussian weights, new at every step",
        "Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        facts=("num_sample_ids", "seed"),
    ),
    Method(
        name="resampling",
        title="every class equally often, by repeating or leaving out examples",
        paper="Chawla et al., JAIR 2002, https://arxiv.org/abs/1106.1813",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
        stream=(RESAMPLING_KIND,),
        resamples=True,
    ),
)
