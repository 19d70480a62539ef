"""Sources: what a data set is read from."""
