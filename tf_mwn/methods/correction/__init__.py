"""Estimated label noise and corrected labels: GLC, S-Model, D2L."""
