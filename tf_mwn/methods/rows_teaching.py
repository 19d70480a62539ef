"""Rows: Teachers and losses that are learned."""

from tf_mwn.methods.row import MethodRow

TEACHING: tuple[MethodRow, ...] = ()
