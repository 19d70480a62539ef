"""Meta-Weight-Net: sample weights as a learned function of the loss."""

NORMALIZATIONS = ("none", "sum", "sum_detached")
