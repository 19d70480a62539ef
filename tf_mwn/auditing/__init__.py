"""Finds labels that look wrong, with noise rates and a transition matrix, by a trained model."""
