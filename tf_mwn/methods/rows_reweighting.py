"""Rows: Sample weights learned on meta data."""

from tf_mwn.methods.row import MethodRow

REWEIGHTING: tuple[MethodRow, ...] = ()
