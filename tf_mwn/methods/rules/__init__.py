"""Fixed rules that weigh training examples, as pure functions; they are given constant losses.

Import from the module of the topic; this package imports nothing by itself.

    self_paced             self_paced, linear, polynomial, growing_age, quantile
    focal_weights          focal_modulator
    robust_statistics      geman_mcclure, generalized_cross_entropy_weight
    hard_mining            hard_mining, minority_classes
    prediction_variance    History, prediction_variance
    ada_boost              samme
    class_priors           class_prior_weights
    random_weights         rectified_gaussian, uniform
    resampling             resampled_rows

A weight v(l) that falls with the loss l minimises v l + G(v) over [0, 1] for a regulariser G, which
the function's docstring states.
"""
