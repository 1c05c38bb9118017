"""An archive or a folder of unknown files, opened with care.

Nothing is unpacked: the caller reads single files, within limits, and decides where they go. What
only somebody with bad intentions puts into an archive makes the whole of it refused.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinytorch.tito.errors import TitoError

MAX_ENTRIES = 50_000
MAX_TOTAL = 8_000_000_000
#: From this size on, contents that shrink more than this are no students' work.
MAX_RATIO, RATIO_FROM = 200, 200_000_000

_LITTER = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)")
_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)


class UnreadableError(TitoError):
    """One file that cannot be read; the others can."""


@dataclass(frozen=True)
class Entry:
    """A file of the archive or folder.

    Attributes
    ----------
    name : str
        Its path inside, with slashes.
    size : int
        In bytes, as the archive says.
    _open : callable
        Opens it for reading.
    """

    name: str
    size: int
    _open: Callable[[], object]

    def read(self, limit: int) -> bytes:
        """Return the content.

        Raises
        ------
        UnreadableError
            If it is larger than `limit` bytes, whatever the archive says, or damaged.
        """
        data = b""
        if self.size <= limit:
            try:
                with self._open() as file:  # type: ignore[attr-defined]
                    data = file.read(limit + 1)
            except _DAMAGE as error:
                raise UnreadableError(f"{self.name} is damaged ({error})") from error
        if max(self.size, len(data)) > limit:
            raise UnreadableError(f"{self.name} is larger than {limit // 1_000_000} MB")
        return data


@contextmanager
def entries(source: Path) -> Iterator[list[Entry]]:
    """Open an archive or a folder and list its files.

    Raises
    ------
    TitoError
        If it is neither, or holds what no platform writes: paths that lead out of it, links,
        encrypted or endless contents.
    """
    if source.is_dir():
        yield list(_of_folder(source))
        return
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise TitoError(
            f"{source} is neither a folder nor a zip archive ({error}). Download it again."
        ) from error
    with archive:
        infos = archive.infolist()
        _refuse_bomb(source, infos)
        for info in infos:
            _refuse_hostile(source, info)
        yield [
            Entry(info.filename, info.file_size, partial(archive.open, info))
            for info in infos
            if not info.is_dir() and not _LITTER.search(info.filename)
        ]


def _of_folder(source: Path) -> Iterator[Entry]:
    for folder, names, files in os.walk(source):
        names.sort()
        for name in sorted([*names, *files]):
            path = Path(folder, name)
            inside = path.relative_to(source).as_posix()
            if path.is_symlink():
                raise _refusal(source, inside, f"a link to {os.readlink(path)}")
            if name in files and path.is_file() and not _LITTER.search(inside):
                yield Entry(inside, path.stat().st_size, partial(path.open, "rb"))


def _refuse_hostile(source: Path, info: zipfile.ZipInfo) -> None:
    """Refuse an archive for an entry that no platform would write."""
    # zipfile cuts a name at its first null character.
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise _refusal(source, name, "a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(source, name, "neither a file nor a folder")
    if info.flag_bits & 1:
        raise _refusal(source, name, "encrypted")
    if name.startswith("/") or "\\" in name or _DRIVE.match(name) or ".." in name.split("/"):
        raise _refusal(source, name, "a path that leads out of the archive")
    if not name.isprintable():
        raise _refusal(source, name, "a name that cannot be printed")


def _refuse_bomb(source: Path, infos: list[zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    problem = ""
    if len(infos) > MAX_ENTRIES:
        problem = f"{len(infos)} files, more than {MAX_ENTRIES}"
    elif total > MAX_TOTAL or (total > RATIO_FROM and total / packed > MAX_RATIO):
        problem = f"{total / 1e9:.1f} GB packed into {packed / 1e6:.1f} MB"
    if problem:
        raise TitoError(
            f"{source} was not opened: it holds {problem}. If it is what the platform gave, "
            "unpack it yourself and name the folder."
        )


def _refusal(source: Path, name: str, what: str) -> TitoError:
    return TitoError(
        f"{source} was not opened: {name!r} is {what}, which no platform puts into a download. "
        "Download it again; ask whoever gave it to you."
    )
