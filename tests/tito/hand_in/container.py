"""A container as Gradescope's: one submission, its folders, and root with the rights it has."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.sandbox.bubblewrap import find_bwrap

#: What Docker gives root by default.
CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID"),
    *("SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"),
)
_ENVIRONMENT, _HOME = Path("/opt/tito"), "/home/root"
_SYSTEM = ("bin", "sbin", "lib", "lib64")


@dataclass(frozen=True)
class Image:
    """What is built once: the unpacked zip, and the environment that ``setup.sh`` would make.

    Libraries are those of the environment that runs the tests, and nothing of the checkout.
    """

    folder: Path

    @classmethod
    def build(cls, packed: Path, folder: Path) -> Image:
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder / "source")
        environment = folder / "environment"
        venv.create(environment, with_pip=False, symlinks=True)
        return cls(folder)

    def command(self, top: Path, *command: str) -> list[str]:
        """Return a command that runs another one as root, with `top` as ``/autograder``."""
        args = [str(find_bwrap()), "--unshare-pid", "--unshare-ipc", "--unshare-net"]
        args += ["--proc", "/proc", "--dev", "/dev", "--die-with-parent", "--clearenv"]
        for name in ("/tmp", "/dev/shm", "/var/tmp"):
            args += ["--perms", "1777", "--tmpfs", name]
        args += ["--perms", "0700", "--dir", _HOME, "--setenv", "HOME", _HOME]
        args += ["--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "--ro-bind", "/usr", "/usr"]
        for name in filter(lambda name: Path("/", name).exists(), _SYSTEM):
            args += ["--symlink", f"usr/{name}", f"/{name}"]
        args += ["--perms", "0755", "--dir", "/etc"]
        for name in ("passwd", "group", "ld.so.cache", "alternatives"):
            args += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        base = Path(sys.base_prefix).resolve()
        for folder in (*reversed(base.parents[:-1]), Path("/opt")):
            args += ["--perms", "0755", "--dir", str(folder)]
        if not base.is_relative_to("/usr"):
            args += ["--ro-bind", str(base), str(base)]
        packages = Path(sysconfig.get_path("purelib"))
        inside = _ENVIRONMENT / packages.relative_to(sys.prefix)
        args += ["--ro-bind", str(self.folder / "environment"), str(_ENVIRONMENT)]
        args += ["--ro-bind", str(packages), str(inside)]
        args += ["--bind", str(top), "/autograder", "--chdir", "/autograder", "--cap-drop", "ALL"]
        for name in CAPABILITIES:
            args += ["--cap-add", f"CAP_{name}"]
        return [*args, "--", *command]


@dataclass(frozen=True)
class Graded:
    """What a run of the autograder left."""

    results: dict[str, Any]
    said: str
    top: Path

    @property
    def points(self) -> dict[str, float]:
        """What each graded cell earned."""
        found: dict[str, float] = {}
        for test in self.results["tests"]:
            if test["visibility"] != "hidden":
                cell = test["name"].partition(":")[0]
                found[cell] = found.get(cell, 0.0) + test["score"]
        return found

    @property
    def for_the_instructor(self) -> str:
        (text,) = (t["output"] for t in self.results["tests"] if t["visibility"] == "hidden")
        return text


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files into a new folder, and into folders of it."""
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def grade(
    image: Image,
    top: Path,
    files: Mapping[str, str | bytes],
    results: str = "results",
    **changes: str,
) -> Graded:
    """Hand in files, and run the autograder as the host does; `changes` are of its script."""
    source = top / "source"
    shutil.copytree(image.folder / "source", source)
    script = (source / "run_autograder").read_text()
    for old, new in changes.items():
        script = script.replace(old, new)
    (top / "run_autograder").write_text(script)
    (top / "run_autograder").chmod(0o755)
    (top / "results").mkdir()
    write_files(top / "submission", files)
    (top / "submission_metadata.json").write_text(json.dumps({"users": [{"email": "a@b.c"}]}))
    ran = subprocess.run(
        image.command(top, "/autograder/run_autograder"), capture_output=True, text=True
    )
    written = (top / results / "results.json").read_text()
    return Graded(json.loads(written), ran.stdout + ran.stderr, top)
