"""The launchers: one command line each, `tf-mwn train --help` or `python -m launch.main --help`."""
