"""Robust losses: fixed, learned or replayed."""
