"""The launchers: one command line each, such as `python -m launch.main --help`."""
