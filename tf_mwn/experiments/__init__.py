"""Configurations, recipes, running, resuming and reporting."""
