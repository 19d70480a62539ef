"""Rows: Estimated label noise and corrected labels."""

from tf_mwn.methods.row import MethodRow

CORRECTION: tuple[MethodRow, ...] = ()
