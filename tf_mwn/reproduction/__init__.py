"""Published tables and claims: their runs, verdicts and pages."""
