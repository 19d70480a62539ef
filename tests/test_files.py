"""Files that a kill cannot tear, and folders of one configuration and one process."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from tests.integration.commands import ROOT, environment
from tf_mwn import files
from tf_mwn.files import Folder, FolderConflictError, ReadOnlyFolder, check_output


def names(path):
    return {found.name for found in path.iterdir()}


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    folder = Folder(tmp_path)
    folder.write_text("a.txt", "old")
    with pytest.raises(RuntimeError), folder.replacing("a.txt") as path:
        path.write_text("half of the ne")
        raise RuntimeError("stopped")
    assert (folder / "a.txt").read_text() == "old"
    assert names(tmp_path) == {"a.txt"}


def test_a_full_disk_at_the_flush_leaves_the_old_files_and_names_the_new_one(tmp_path, monkeypatch):
    folder = Folder(tmp_path)
    for text in ("before", "old"):
        with folder.replacing("a.txt", keep_as="b.txt") as path:
            path.write_text(text)

    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_flush", full)
    with (
        pytest.raises(OSError, match="No space left .*a.txt"),
        folder.replacing("a.txt", keep_as="b.txt") as path,
    ):
        path.write_text("new")
    assert (folder / "a.txt").read_text() == "old"
    assert (folder / "b.txt").read_text() == "before"
    assert names(tmp_path) == {"a.txt", "b.txt"}


def test_a_lock_removes_what_a_killed_write_left(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / ".writing-1234-a.txt").write_text("half")
    (tmp_path / "a.txt").write_text("whole")
    with folder.locked():
        assert names(tmp_path) == {"a.txt", ".lock"}


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(tmp_path):
    code = (
        "import sys\nfrom tf_mwn.files import Folder\n"
        "with Folder(sys.argv[1]).locked():\n    print('locked', flush=True)\n    input()"
    )
    folder = Folder(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "locked\n"
        holder = f"in use by pid {process.pid} on "
        with pytest.raises(FolderConflictError, match=holder), folder.locked():
            pass
        with pytest.raises(FolderConflictError, match=holder), folder.locked():
            pass  # the first attempt has left the holder's lock and name alone
        process.send_signal(signal.SIGKILL)
        process.wait()
        with folder.locked():
            assert (tmp_path / ".lock").read_text().startswith(f"pid {os.getpid()} on ")
    with folder.locked():
        pass


def test_without_locks_a_line_says_so(tmp_path, monkeypatch, capsys):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with Folder(tmp_path).locked():
        pass
    assert "no lock (No locks available); start no second run here" in capsys.readouterr().out


def test_a_folder_is_claimed_by_one_configuration(tmp_path):
    folder = Folder(tmp_path / "deep" / "seed0")
    folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.1}})
    folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.1}})
    with pytest.raises(FolderConflictError, match="settings.rate = 0.1, not 0.2"):
        folder.claim({"seed": 0, "settings": {"units": (100,), "rate": 0.2}})


@pytest.mark.parametrize("content", [b"", b'{"method": "gce"', b'{"method": "\xff"}'])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(FolderConflictError, match=r"config\.json: damaged \(.*\); delete it"):
        Folder(tmp_path).claim({"method": "gce"})


def test_a_read_only_folder_reads_and_drops(tmp_path):
    folder = ReadOnlyFolder(tmp_path)
    (tmp_path / "results.json").write_text("[1]")
    with folder.locked():
        folder.write_json("results.json", [2])
        folder.write_text("other.txt", "x")
        folder.remove("results.json")
    assert folder.read_json("results.json") == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_an_output_file_that_cannot_be_written_is_refused_and_nothing_is_created(tmp_path):
    check_output("output", None)
    check_output("output", str(tmp_path / "table.csv"))
    for path in (tmp_path, tmp_path / "missing" / "table.csv", f"{tmp_path}/new/"):
        with pytest.raises(ValueError, match="output: expected a file in a folder that can be"):
            check_output("output", str(path))
    assert not list(tmp_path.iterdir())
