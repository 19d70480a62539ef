"""Meta-Weight-Net: sample weights as a learned function of the loss."""
