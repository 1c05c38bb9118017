"""Files that are replaced as a whole: who may read them, and what a killed run leaves of them."""

import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tito.course.files import flush, open_lock, remove_unfinished, replace_text

#: A user and a group that are nobody else's.
OTHER_USER, GROUP = 54_321, 54_322


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(
    ("mask", "file", "folder"),
    [(0o022, 0o644, 0o755), (0o002, 0o664, 0o775), (0o077, 0o600, 0o700)],
)
def test_the_umask_says_who_may_read_a_file(tmp_path, umask, mask, file, folder):
    umask(mask)
    path = tmp_path / "made" / "name.json"
    for text in ("old", "new"):
        replace_text(path, text)
        assert (path.read_text(), mode(path), mode(path.parent)) == (text, file, folder)
    assert [one.name for one in path.parent.iterdir()] == ["name.json"]


@pytest.mark.parametrize(("folder", "lock"), [(0o755, 0o600), (0o2775, 0o660), (0o777, 0o666)])
def test_who_may_write_to_a_folder_may_take_its_lock(tmp_path, umask, folder, lock):
    tmp_path.chmod(folder)
    for _ in range(2):
        open_lock(tmp_path / ".lock").close()
        assert mode(tmp_path / ".lock") == lock


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_group_member_reads_files_and_takes_lock(umask):
    umask(0o002)
    # pytest's own folders are closed to others.
    folder = Path("/tmp") / f"tito-shared-{os.getpid()}"
    folder.mkdir()
    try:
        os.chown(folder, -1, GROUP)
        folder.chmod(0o2770)
        replace_text(folder / "record.json", "a mark")
        with open_lock(folder / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
        code = f"""
import fcntl
from pathlib import Path
folder = Path({str(folder)!r})
print((folder / "record.json").read_text())
fcntl.flock(open(folder / ".lock", "r+"), fcntl.LOCK_EX)
(folder / "mine").touch()
"""
        python = ["/usr/bin/env", "python3", "-c", code]
        said = subprocess.run(
            python, user=OTHER_USER, group=GROUP, extra_groups=[], env={"PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert (said.stdout, said.stderr) == ("a mark\n", "")
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


def test_failed_write_keeps_the_old_text(tmp_path):
    path = tmp_path / "name.json"
    replace_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_text(path, "\ud800")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"name.json": "old"}


KILLED = """
import os, signal, sys
from pathlib import Path
from tito.course.files import replace_text
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
replace_text(Path(sys.argv[1]), "new")
"""


def test_what_a_kill_amid_writing_leaves_is_found_again(tmp_path):
    path = tmp_path / "name.json"
    replace_text(path, "old")
    assert subprocess.run([sys.executable, "-c", KILLED, path], check=False).returncode == -9
    (left,) = [one for one in tmp_path.iterdir() if one != path]
    remove_unfinished(tmp_path, seconds=60)
    assert left.exists(), "somebody may be writing it"
    hour_ago = left.stat().st_mtime - 3600
    os.utime(left, (hour_ago, hour_ago))
    remove_unfinished(tmp_path, seconds=60)
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "old"


def test_a_folder_that_is_not_there_cannot_be_flushed(tmp_path):
    flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        flush(tmp_path / "missing")
