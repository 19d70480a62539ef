"""What happens to files: hypothesis strategies of bytes, and the outcome that is allowed."""

import pathlib

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same few examples on every machine.
FEW = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file with changed bytes, one cut short or with bytes behind its end, and any bytes."""
    places = st.integers(0, len(whole) - 1)

    def changed(edits):
        content = bytearray(whole)
        for place, value in edits:
            content[place] = value
        return bytes(content)

    return st.one_of(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4).map(changed),
        places.map(lambda end: whole[:end]),
        st.binary(min_size=1, max_size=30).map(lambda rest: whole + rest),
        st.binary(max_size=60),
    )


def one_line(read, *arguments):
    """The result of a reader, or None if it refuses its file in one line."""
    try:
        return read(*arguments)
    except (ValueError, TypeError, OSError) as error:
        message = str(error)
        assert message and "\n" not in message and len(message) < 1000, message
        return None


def write(path: pathlib.Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
