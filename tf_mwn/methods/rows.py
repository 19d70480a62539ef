"""One row per method. Rows hold dotted paths, so that listing them imports nothing heavy."""

from tf_mwn.methods.spec.method import ENGINE_OPTIONS, MethodRow

_META_OPTIMIZER = ("meta_optimizer", "meta_learning_rate", "meta_weight_decay", "meta_batch_size")
_HISTORY = ("num_sample_ids", "steps_per_epoch")
_ADAPTIVE = "Shu et al., 2020, https://arxiv.org/abs/2002.06482"


def _adaptive(name: str, title: str, options: tuple[str, ...], facts: tuple[str, ...] = ()):
    return MethodRow(
        name,
        title,
        _ADAPTIVE,
        f"tf_mwn.methods.losses.adaptive_losses:{name}",
        needs_meta_set=True,
        options=options + ENGINE_OPTIONS,
        facts=facts,
        compile_options=_META_OPTIMIZER,
    )


def _robust(name: str, title: str, paper: str, options=(), facts=()):
    return MethodRow(
        name,
        title,
        paper,
        f"tf_mwn.methods.losses.robust_losses:{name}",
        options=options,
        facts=facts,
    )


def _replayable(name: str, title: str, paper: str, options: tuple[str, ...]):
    """A loss that can also follow the hyper-parameters its adaptive form has learned."""
    return _robust(name, title, paper, (*options, "trajectory"), ("steps_per_epoch",))


def _weighting(name: str, title: str, paper: str, options=(), facts=()):
    return MethodRow(
        name, title, paper, f"tf_mwn.methods.rules.weightings:{name}", options=options, facts=facts
    )


META_LEARNED = (
    MethodRow(
        name="cross_entropy",
        title="plain training on the given labels",
        paper="the baseline",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
    ),
    MethodRow(
        name="meta_weight_net",
        title="sample weights V(loss), learned on the meta set",
        paper="Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379",
        builder="tf_mwn.methods.meta_weight_net.meta_weight_net:MetaWeightNet",
        needs_meta_set=True,
        options=("weight_net_units", "weight_normalization", "detach_loss", *ENGINE_OPTIONS),
        compile_options=_META_OPTIMIZER,
        file_option="weight_net",
        file_builder="tf_mwn.methods.meta_weight_net.meta_weight_net:frozen_weight_net",
    ),
    _adaptive("adaptive_gce", "generalised cross-entropy with a learned q", ("gce_q",)),
    _adaptive(
        "adaptive_sce",
        "symmetric cross-entropy with learned α and β",
        ("sce_alpha", "sce_beta", "sce_a"),
    ),
    _adaptive(
        "adaptive_bi_tempered",
        "bi-tempered loss with learned temperatures",
        ("bi_tempered_t1", "bi_tempered_t2"),
    ),
    _adaptive(
        "adaptive_poly_soft",
        "PolySoft with learned λ and d",
        ("poly_soft_lambda", "poly_soft_d"),
        ("num_classes",),
    ),
)

ROBUST_LOSSES = (
    _replayable(
        "gce",
        "generalised cross-entropy (1 - p^q)/q",
        "Zhang and Sabuncu, NeurIPS 2018, https://arxiv.org/abs/1805.07836",
        ("gce_q",),
    ),
    MethodRow(
        name="truncated_gce",
        title="generalised cross-entropy of the examples with p >= k",
        paper="Zhang and Sabuncu, NeurIPS 2018, https://arxiv.org/abs/1805.07836",
        builder="tf_mwn.methods.rules.weightings:truncated_gce",
        options=("gce_q", "truncated_gce_k", "truncated_gce_start", "truncated_gce_epochs"),
        facts=(*_HISTORY, "epochs"),
    ),
    _replayable(
        "sce",
        "symmetric cross-entropy α CE + β RCE",
        "Wang et al., ICCV 2019, https://arxiv.org/abs/1908.06112",
        ("sce_alpha", "sce_beta", "sce_a"),
    ),
    _robust(
        "mae",
        "mean absolute error 2 - 2p",
        "Ghosh et al., AAAI 2017, https://arxiv.org/abs/1712.09482",
    ),
    _replayable(
        "bi_tempered",
        "bi-tempered logistic loss",
        "Amid et al., NeurIPS 2019, https://arxiv.org/abs/1906.03361",
        ("bi_tempered_t1", "bi_tempered_t2"),
    ),
    _replayable(
        "poly_soft",
        "the loss behind polynomial soft weighting",
        "Gong et al., IEEE TEVC 2019",
        ("poly_soft_lambda", "poly_soft_d"),
    ),
    _robust(
        "focal",
        "focal loss -(1 - p)^γ ln p",
        "Lin et al., ICCV 2017, https://arxiv.org/abs/1708.02002",
        ("focal_gamma", "focal_detach"),
    ),
    _robust(
        "class_balanced",
        "classes weighted by their inverse effective number of examples",
        "Cui et al., CVPR 2019, https://arxiv.org/abs/1901.05555",
        ("class_balanced_beta",),
        ("class_counts",),
    ),
    _robust(
        "ldam_drw",
        "class-dependent margins, and class-balanced weights towards the end",
        "Cao et al., NeurIPS 2019, https://arxiv.org/abs/1906.07413",
        ("class_balanced_beta", "ldam_max_margin", "ldam_scale", "ldam_defer"),
        ("class_counts", "steps_per_epoch", "epochs"),
    ),
    _robust(
        "reed_soft",
        "targets mixed with the prediction",
        "Reed et al., ICLR 2015 workshop, https://arxiv.org/abs/1412.6596",
        ("reed_soft_beta",),
    ),
    _robust(
        "reed_hard",
        "targets mixed with the predicted class",
        "Reed et al., ICLR 2015 workshop, https://arxiv.org/abs/1412.6596",
        ("reed_hard_beta",),
    ),
    _robust(
        "forward_correction",
        "predictions passed through the known transition matrix",
        "Patrini et al., CVPR 2017, https://arxiv.org/abs/1609.03683",
        facts=("transition_matrix",),
    ),
)

WEIGHTINGS = (
    _weighting(
        "self_paced",
        "only examples with a loss up to an age λ",
        "Kumar et al., NeurIPS 2010",
        ("self_paced_age", "self_paced_lambda", "self_paced_growth", "self_paced_fraction"),
        ("steps_per_epoch",),
    ),
    _weighting(
        "linear_weighting",
        "weights (1 - l/λ)+",
        "Jiang et al., ACM Multimedia 2014",
        ("linear_lambda",),
    ),
    _weighting(
        "polynomial_weighting",
        "weights (1 - l/λ)+ to the power 1/(d-1)",
        "Gong et al., IEEE TEVC 2019",
        ("polynomial_lambda", "polynomial_d"),
    ),
    _weighting(
        "focal_weighting",
        "weights (1 - p)^α, not differentiated",
        "Lin et al., ICCV 2017, https://arxiv.org/abs/1708.02002",
        ("focal_alpha",),
    ),
    _weighting(
        "hard_mining",
        "only examples with a large loss, and all of the small classes",
        "Malisiewicz et al., ICCV 2011",
        ("hard_mining_lambda",),
        ("class_counts",),
    ),
    _weighting(
        "prediction_variance",
        "more weight where the prediction has varied",
        "Chang et al., NeurIPS 2017, https://arxiv.org/abs/1704.07433",
        ("variance_epsilon", "variance_warmup_epochs"),
        _HISTORY,
    ),
    _weighting(
        "iterative_reweighting",
        "weights of a robust function of the loss, renewed every few epochs",
        "De la Torre and Black, IJCV 2003",
        ("iterative_function", "iterative_sigma", "iterative_q", "iterative_k", "iterative_epochs"),
        _HISTORY,
    ),
    _weighting(
        "ada_boost",
        "misclassified examples gain weight after each round of epochs",
        "Freund and Schapire, JCSS 1997; Zhu et al., 2009 (SAMME)",
        ("ada_boost_epochs", "ada_boost_clip"),
        _HISTORY,
    ),
    _weighting(
        "instance_reweighting",
        "classes weighted as if all were equally frequent",
        "Zadrozny, ICML 2004",
        ("instance_clip",),
        ("class_counts",),
    ),
    _weighting(
        "random_weights",
        "rectified Gaussian weights, new at every step",
        "Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050",
        facts=("num_sample_ids", "seed"),
    ),
    MethodRow(
        name="resampling",
        title="every class equally often, by repeating or leaving out examples",
        paper="Chawla et al., JAIR 2002, https://arxiv.org/abs/1106.1813",
        builder="tf_mwn.training.cross_entropy:CrossEntropy",
        stream_options=("resampling_kind",),
    ),
)
