"""Weights of training examples by fixed rules.

The rules are pure functions of constant losses, `weighted_loss` and `example_weighting` have the
training objectives, and `weightings` builds the methods. A weight v(l) that falls with the loss l
minimises v l + G(v) over [0, 1]; the docstring of each rule states its regulariser G.
"""
