"""Robust losses on logits, a module for each topic.

A module has the function (labels, logits) -> [..] and the `keras.losses.Loss` class of its loss.
"""
