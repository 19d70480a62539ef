"""Robust losses: per-example functions (labels, logits) -> [..], and `keras.losses.Loss` classes.

Import from the module of the topic; this package imports nothing by itself.

    cross_entropy          cross_entropy
    generalized            generalized_cross_entropy
    symmetric              mean_absolute_error, reverse_cross_entropy, symmetric_cross_entropy
    bi_tempered            bi_tempered, tempered_softmax, tempered_normalizer
    poly_soft              poly_soft
    focal                  focal
    bootstrapping          reed_soft, reed_hard
    label_correction       forward_correction
    class_counts           ldam, ldam_margins, class_balanced_weights
    low_dose_ct            low_dose_ct (regression)
    admissible             the sets the hyper-parameters live in
    per_example            one value per example from what a user passes to `compile`
"""
