"""Estimated label noise and corrected labels."""
