"""Bias: noisy labels, unequal classes and altered inputs."""
