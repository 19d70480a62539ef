"""The sentence for a name nobody knows."""

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> str:
    """ "unknown method 'x': expected one of a, b; did you mean ...?" """
    valid = sorted(valid)
    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{kind}: expected one of {', '.join(valid)}, received {name!r}{hint}"
