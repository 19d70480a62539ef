"""Sources: what a data set is read from."""

from tf_mwn.data.sources.loading import load

__all__ = ["load"]
