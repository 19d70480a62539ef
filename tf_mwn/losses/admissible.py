"""The admissible sets of the losses' hyper-parameters.

The loss classes and the options of the methods both check against them. This module must not import
TensorFlow: lists of methods and options read it.
"""

import math

from tf_mwn.checks import BELOW_ONE, FRACTION, OPEN_UNIT, UNIT, Interval

GCE_Q = FRACTION
TRUNCATION = OPEN_UNIT
TEMPERATURE_1 = UNIT
LABEL_SMOOTHING = BELOW_ONE
POLY_SOFT_D = Interval(1, has_low=False)
CLASS_BALANCED_BETA = BELOW_ONE
# Stands for ln 0 in the reverse cross-entropy: labels are clipped at 1e-4.
LOG_ZERO = math.log(1e-4)
