"""Packages that only a part of `tf_mwn` needs: an extra of the installation brings each."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """A block that imports packages of the extra `name`, which is one of setup.py.

    Raises:
        ImportError: a package that is not installed, and the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise ImportError(
            f"{package}: expected this package, received none: run pip install 'tf-mwn[{name}]'",
            name=package,
        ) from error
