"""One run's folder: what is in it, whose it is, and writes that a kill cannot tear."""

import contextlib
import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_TEMPORARY = ".writing-"


class FolderConflictError(ValueError):
    """A run folder cannot be used: it belongs to another run, or its content is damaged."""


class RunFolder:
    """A folder, `workdir/<experiment>/<method>/seed<k>/`, and the files in it.

    Every file is written to a temporary name, flushed to disk and renamed, so that a reader or a
    resumed run sees the old file or the new one.

    Attributes:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Creates the folder for a run described by `identity`, or joins a run that matches it.

        Raises:
            FolderConflictError: the folder holds a run of another configuration.
            OSError: the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for leftover in self.path.glob(f"{_TEMPORARY}*"):
            leftover.unlink()
        found = self.read_json("config.json")
        if found is None:
            self.write_json("config.json", identity)
        elif found != json.loads(json.dumps(identity)):
            raise FolderConflictError(
                f"{self.path}: {_mismatch(found, identity)}; choose another --workdir"
            )

    def read_json(self, name: str) -> Any:
        """The content of a JSON file, or None if there is none."""
        try:
            return json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return None

    def write_json(self, name: str, content: Any) -> None:
        self.write_text(name, json.dumps(content, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        with self.replacing(name) as path:
            path.write_text(text)

    def write_csv(self, name: str, header: Iterable[str], rows: Iterable[Iterable]) -> None:
        with self.replacing(name) as path, open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Yields a temporary path to write; on success it is flushed and renamed to `name`."""
        temporary = self.path / f"{_TEMPORARY}{name}"
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, self.path / name)


def _mismatch(found: Mapping, wanted: Mapping, where: str = "") -> str:
    """The first setting in which a folder's run differs from the one asked for."""
    for key in sorted({*found, *wanted}):
        old, new = found.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return _mismatch(old, new, f"{where}{key}.")
        if old != new and json.loads(json.dumps(new)) != old:
            return f"holds a run with {where}{key} = {old!r}, not {new!r}"
    return "holds another run"
