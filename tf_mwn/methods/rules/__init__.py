"""Fixed rules that weigh training examples, as pure functions; they are given constant losses.

Import from the module of the topic; this package imports nothing by itself.

    self_paced             self_paced, linear, polynomial, growing_age, quantile
    focal                  focal
    robust_statistics      geman_mcclure, generalized_cross_entropy
    hard_mining            hard_mining, minority_classes
    prediction_variance    History, prediction_variance
    ada_boost              samme
    class_priors           class_prior_weights
    random_weights         rectified_gaussian, uniform
    resampling             resampled_rows
    curriculum             curriculum, mixed, linear, hard_mining
    example_dropout        rates_by_percent, kept

A weight v(l) that falls with the loss l minimises v l + G(v) over [0, 1] for a regulariser G; it
stands beside its weight under the same name with `_regularizer` behind.
"""
