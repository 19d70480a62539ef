"""One run's folder: what is in it, whose it is, and writes that a kill cannot tear."""

import contextlib
import csv
import errno
import fcntl
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

RESULTS = "results.json"  # written last: it means finished
IN_USE = ": in use by"  # said of a run that another process trains
_TEMPORARY = ".writing-"
_LOCK = ".lock"


class FolderConflictError(ValueError):
    """A run folder cannot be used: another run's, another process', or its content is damaged."""


class RunFolder:
    """A folder, `workdir/<experiment>/<method>/seed<k>/`, and the files in it.

    Every file is written to a temporary name, flushed to disk and renamed, so that a reader or a
    resumed run sees the old file or the new one.

    Attributes:
        path: the folder; it need not exist yet.
        writes: whether this object writes what it is given.
    """

    writes = True

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
        found = self.read_json("config.json")
        if found is None:
            self.write_json("config.json", identity)
        elif found != json.loads(json.dumps(identity)):
            raise FolderConflictError(
                f"{self.path}: {_mismatch(found, identity)}; choose another --workdir"
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Creates the folder and keeps every other process out of such a block.

        The lock belongs to the open file, not to its content: the kernel lets go of it when the
        process ends, however it ends. Reading needs no lock.

        Raises:
            FolderConflictError: another process is in such a block.
            OSError: the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / _LOCK, "a+") as file:
            self._take(file)
            file.truncate(0)
            file.write(f"pid {os.getpid()} on {socket.gethostname()}")
            file.flush()
            for leftover in self.path.glob(f"{_TEMPORARY}*"):
                leftover.unlink()
            yield

    def _take(self, file: IO[str]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):  # some network file systems
                print(f"{self.path}: no lock ({error.strerror}); start no second run here")
                return
            file.seek(0)
            raise FolderConflictError(
                f"{self.path}{IN_USE} {file.read() or 'another process'}; "
                "wait until it has ended, or choose another --workdir"
            ) from error

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def read_json(self, name: str) -> Any:
        """The content of a JSON file, or None if there is none.

        Raises:
            FolderConflictError: it holds no JSON; all these files can be written anew.
        """
        try:
            return json.loads((self.path / name).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise FolderConflictError(
                f"{self.path / name}: damaged ({error}); delete it, then the same command goes on"
            ) from error

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
    def replacing(self, name: str, keep_as: str | None = None) -> Iterator[Path]:
        """Yields a temporary path to write; on success it is flushed and renamed to `name`.

        A write that fails leaves nothing behind, which on a full disk would be in the way.

        Args:
            name: of the file.
            keep_as: name under which the old file stays; None drops it.
        """
        temporary = self.path / f"{_TEMPORARY}{secrets.token_hex(4)}-{name}"
        try:
            yield temporary
            _flush(temporary)
            if keep_as is not None and (self.path / name).exists():
                os.replace(self.path / name, self.path / keep_as)
            os.replace(temporary, self.path / name)
        except BaseException as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno and error.filename is None:
                error.filename = str(self.path / name)
            raise
        with contextlib.suppress(OSError):  # some file systems cannot flush a folder
            _flush(self.path)


class ReadOnlyFolder(RunFolder):
    """A run's folder to a process that runs the same as its writer: what it writes is dropped."""

    writes = False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        yield

    def remove(self, name: str) -> None:
        pass

    @contextlib.contextmanager
    def replacing(self, name: str, keep_as: str | None = None) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as nowhere:
            yield Path(nowhere) / name


def _flush(path: Path) -> None:
    """Returns when a file's content, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mismatch(found: Mapping, wanted: Mapping, where: str = "") -> str:
    """The first setting in which a folder's run differs from the one asked for."""
    for key in sorted({*found, *wanted}):
        old, new = found.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return _mismatch(old, new, f"{where}{key}.")
        if old != new and json.loads(json.dumps(new)) != old:
            return f"holds a run with {where}{key} = {old!r}, not {new!r}"
    return "holds another run"
