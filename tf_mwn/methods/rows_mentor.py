"""Rows: MentorNet."""

from tf_mwn.methods.row import MethodRow

MENTOR: tuple[MethodRow, ...] = ()
