"""Callbacks, measures and figures that show what a run learns."""
