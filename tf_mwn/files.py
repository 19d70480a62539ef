"""Reads and writes the JSON and CSV files of runs, and locks their folders."""

import contextlib
import csv
import errno
import fcntl
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

CONFIG = "config.json"  # the identity of the run in a folder
IN_USE = ": in use by"  # part of the message about a run that another process trains
# metrics.csv has a column of this prefix for each scalar of the training objective.
SCALAR_PREFIX = "hyper_"
_TEMPORARY = ".writing-"
_LOCK = ".lock"


class FolderConflictError(ValueError):
    """A folder holds another run, is in use by another process, or is damaged."""


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        ValueError: the file is not valid JSON.
        OSError: the file cannot be read.
    """
    try:
        return json.loads(Path(path).expanduser().read_bytes())
    except RecursionError as error:
        raise ValueError(f"{path}: expected JSON, received lists in lists without end") from error


def write_json(path: str | Path, content: Any, indent: int | None = None) -> None:
    """Writes a JSON file, on one line unless `indent` is given."""
    Path(path).expanduser().write_text(json.dumps(content, indent=indent) + "\n")


def as_json(content: Any) -> Any:
    """`content` as `read_json` returns it from a file, with lists in place of tuples."""
    return json.loads(json.dumps(content))


def read_rows(name: str, path: str | Path, errors: str = "strict") -> Iterator[list[str]]:
    """The rows of a CSV file, each a list of fields, read when it is asked for.

    Args:
        name: what the file is called in a message.
        path: the file.
        errors: what happens to bytes that are not UTF-8, as for `open`.

    Raises:
        ValueError: the file is not CSV in UTF-8.
        OSError: the file cannot be read.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig", errors=errors) as file:
            yield from csv.reader(file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{name}: expected CSV in UTF-8, received {path} ({error})") from error


def read_columns(path: str | Path) -> dict[str, list[str]]:
    """The columns of a CSV file, by their name in the first line.

    Raises:
        ValueError: the file is not CSV in UTF-8, or its rows differ in length.
        OSError: the file cannot be read.
    """
    # Paths in a file of a run may hold any bytes.
    rows = filter(None, read_rows(Path(path).name, path, "surrogateescape"))
    header, *rows = [*rows] or [[]]
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(
                f"{Path(path).name}: expected {len(header)} fields in line {line} of {path}, "
                f"received {len(row)}"
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def write_csv(path: str | Path, header: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Writes a CSV file; None becomes an empty field."""
    with open(path, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def numbers(texts: Iterable[str]) -> np.ndarray:
    """The fields of a CSV column as float64; an empty field is NaN."""
    return np.array([float(text) if text else np.nan for text in texts])


def scalars(record: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of the training objective's scalars, by the name of the scalar.

    Args:
        record: the measures of an epoch, or the columns of metrics.csv.
    """
    names = [name for name in record if name.startswith(SCALAR_PREFIX)]
    return {name.removeprefix(SCALAR_PREFIX): record[name] for name in names}


class Folder:
    """A folder whose files are written atomically.

    Every file is written under a temporary name, flushed to disk and renamed. So a reader, or a
    run that resumes after a kill, sees either the old file or the new one.

    Attributes:
        path: the folder, which need not exist yet.
        writes: whether this object writes files at all.
    """

    writes = True

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def claim(
        self,
        identity: Mapping[str, Any],
        completed: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        """Creates the folder for a run described by `identity`, or joins a run that matches it.

        Args:
            identity: what decides the run.
            completed: brings an identity that an older version wrote into today's form.

        Raises:
            FolderConflictError: the folder holds a run of another configuration.
            OSError: the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        found = self.read_json(CONFIG)
        if found is None:
            self.write_json(CONFIG, identity)
            return
        found = completed(found)
        if found != as_json(identity):
            raise FolderConflictError(
                f"{self.path}: {_mismatch(found, identity)}; choose another --workdir"
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Creates the folder and locks it for the block. Reading needs no lock.

        The lock belongs to the open file, not to its content: the kernel releases it when the
        process ends, however it ends.

        Raises:
            FolderConflictError: another process holds the lock.
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
        """Removes a file if it exists."""
        (self.path / name).unlink(missing_ok=True)

    def read_json(self, name: str) -> Any:
        """The content of a JSON file, or None if the file does not exist.

        Raises:
            FolderConflictError: the file is not valid JSON. It can be deleted and written again.
        """
        try:
            return read_json(self.path / name)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise FolderConflictError(
                f"{self.path / name}: damaged ({error}); delete it, then the same command continues"
            ) from error

    def read_columns(self, name: str) -> dict[str, list[str]]:
        """The columns of a CSV file; empty if the file does not exist."""
        try:
            return read_columns(self.path / name)
        except FileNotFoundError:
            return {}

    def write_json(self, name: str, content: Any) -> None:
        with self.replacing(name) as path:
            write_json(path, content, indent=2)

    def write_text(self, name: str, text: str) -> None:
        with self.replacing(name) as path:
            path.write_text(text)

    def write_csv(self, name: str, header: Iterable[str], rows: Iterable[Iterable]) -> None:
        with self.replacing(name) as path:
            write_csv(path, header, rows)

    def write_columns(self, name: str, columns: Mapping[str, Sequence | None]) -> None:
        """Writes a CSV file. A column that is None stays empty; the first one must not be None."""
        empty = [None] * len(next(iter(columns.values())))
        values = [empty if column is None else column for column in columns.values()]
        self.write_csv(name, columns, zip(*values, strict=True))

    @contextlib.contextmanager
    def replacing(self, name: str, keep_as: str | None = None) -> Iterator[Path]:
        """Yields a temporary path to write. On success it is flushed and renamed to `name`.

        If the block fails, the temporary file is removed: it would take space on a full disk.

        Args:
            name: of the file.
            keep_as: name under which the old file is kept; None to drop it.
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


class ReadOnlyFolder(Folder):
    """A folder for a process that repeats the work of the writer: its writes are dropped."""

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
    """Returns when the content of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mismatch(found: Mapping, wanted: Mapping, where: str = "") -> str:
    """The first setting in which the run of a folder differs from the wanted run."""
    for key in sorted({*found, *wanted}):
        old, new = found.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return _mismatch(old, new, f"{where}{key}.")
        if old != new and as_json(new) != old:
            return f"holds a run with {where}{key} = {old!r}, not {new!r}"
    return "holds another run"


def check_writable(workdir: str) -> None:
    """Refuses a workdir that cannot be written, without creating anything in it."""
    path = os.path.abspath(workdir)
    if os.path.exists(path) and not os.path.isdir(path):
        raise ValueError(f"workdir: expected a folder, received the file {path}")
    while not os.path.exists(path):
        path = os.path.dirname(path)
    try:  # permissions do not tell: root has all of them, even below /proc
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ValueError(
            f"workdir: expected a folder that can be written, received {workdir} ({error.strerror})"
        ) from error


def check_output(name: str, path: str | None) -> None:
    """Refuses a file that cannot be written, without creating it; None is no file."""
    place = path and os.path.abspath(path)
    if place and (
        os.path.isdir(place)
        or path.endswith(os.sep)
        or not os.access(os.path.dirname(place), os.W_OK)
    ):
        raise ValueError(
            f"{name}: expected a file in a folder that can be written, received {path}"
        )
