"""Callbacks and figures: what a run learned, while it learns it."""
