"""Sweeps and studies on Keras Tuner."""
