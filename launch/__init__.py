"""Command lines: `python -m launch.main --help`."""
