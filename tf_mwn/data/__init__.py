"""Data layer: sources, biased labels and classes, splits, and the training streams.

This file imports nothing: importing one module of the package costs no more than that module.
"""
