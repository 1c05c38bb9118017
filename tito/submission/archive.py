"""An archive or a folder of unknown files, opened with care.

Nothing is unpacked: the caller reads single files, within limits, and decides where they go. What
only somebody with bad intentions puts into an archive makes the whole of it refused, if it stands
where work is looked for; what is neither a notebook nor an archive is never opened, so that it
stops nothing, whatever it is.
"""

from __future__ import annotations

import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tito.errors import TitoError
from tito.submission.intake import notebook_name

MAX_ENTRIES = 50_000
#: The largest archive that is looked into within another one.
MAX_INNER = 100_000_000
#: How Gradescope tells whose submission is whose.
METADATA = "submission_metadata.yml"

_LITTER = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)")
_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)
#: Bit 0 of an entry: encrypted. Bit 11: its name is UTF-8.
_ENCRYPTED, _UTF8 = 0x1, 0x800


def is_archive(name: str) -> bool:
    """Whether a file is, by its name, a zip archive."""
    return name.lower().endswith(".zip")


def has_control_characters(name: str) -> bool:
    """Whether a name holds what no file's name should: control characters, halves of characters.

    Other characters that cannot be seen (narrow spaces, joiners, marks of direction) are part of
    names as people and their machines write them.
    """
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in name)


class UnreadableError(TitoError):
    """One file that cannot be read; the others can."""


@dataclass(frozen=True)
class Entry:
    """A file of the archive or folder."""

    #: Its path inside, with slashes.
    name: str
    #: In bytes, as the archive says.
    size: int
    #: Opens it for reading.
    _open: Callable[[], Any]

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
                with self._open() as file:
                    data = file.read(limit + 1)
            except _DAMAGE as error:
                raise UnreadableError(f"{self.name} is damaged ({error})") from error
        if max(self.size, len(data)) > limit:
            raise UnreadableError(f"{self.name} is larger than {limit // 1_000_000} MB")
        return data

    def inside(self) -> list[Entry]:
        """Return the files of an archive within the archive.

        Raises
        ------
        UnreadableError
            If it cannot be opened, or not with trust.
        """
        data = io.BytesIO(self.read(MAX_INNER))
        try:
            return _of_archive(Path(self.name), zipfile.ZipFile(data))
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise UnreadableError(f"{self.name} cannot be opened ({error})") from error
        except TitoError as error:
            raise UnreadableError(str(error)) from error


@contextmanager
def entries(source: Path) -> Iterator[list[Entry]]:
    """Open an archive or a folder and list its files.

    Raises
    ------
    TitoError
        If it is neither, or holds what no platform writes: paths that lead out of it, links,
        encrypted contents.
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
        yield _of_archive(source, archive)


def _of_archive(source: Path, archive: zipfile.ZipFile) -> list[Entry]:
    """List the files of an archive, by names as they were meant."""
    infos = archive.infolist()
    names = _with_slashes([_intended_name(info) for info in infos])
    if (count := sum(map(_is_looked_for, names))) > MAX_ENTRIES:
        raise TitoError(
            f"{source} was not opened: it holds {count} notebooks, more than {MAX_ENTRIES}. If it "
            "is what the platform gave, unpack it yourself and name the folder."
        )
    files = []
    for name, info in zip(names, infos, strict=True):
        if _is_looked_for(name) or _is_looked_for(info.filename):
            _refuse_hostile(source, name, info)
        if not name.endswith("/") and not _LITTER.search(name):
            files.append(Entry(name, info.file_size, partial(archive.open, info)))
    return files


def _intended_name(info: zipfile.ZipInfo) -> str:
    """Return a name in its real encoding: macOS writes UTF-8 and does not say so."""
    name = info.orig_filename  # zipfile cuts a name at its first null character
    if not info.flag_bits & _UTF8:
        with suppress(UnicodeError):  # else it is what it says: an old name of Windows or DOS
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _with_slashes(names: Sequence[str]) -> list[str]:
    """Take backslashes for slashes in an archive of Windows: one that has only them."""
    # Elsewhere they are part of a name that somebody chose.
    work = [name for name in names if _is_looked_for(name)]
    if any("/" in name for name in names) or not all("\\" in name for name in work):
        return list(names)
    return [name.replace("\\", "/") for name in names]


def _is_looked_for(name: str) -> bool:
    """Whether a file may be opened: a notebook, an archive, a platform's notes on submissions."""
    return bool(notebook_name(name)) or is_archive(name) or name.endswith(METADATA)


def _of_folder(source: Path) -> Iterator[Entry]:
    for folder, names, files in os.walk(source):
        names.sort()
        for name in sorted([*names, *files]):
            path = Path(folder, name)
            inside = path.relative_to(source).as_posix()
            if path.is_symlink() and (_is_looked_for(name) or path.is_dir()):
                raise _refusal(source, inside, f"a link to {os.readlink(path)}")
            if name in files and path.is_file() and not _LITTER.search(inside):
                normal = unicodedata.normalize("NFC", inside)
                yield Entry(normal, path.stat().st_size, partial(path.open, "rb"))


def _refuse_hostile(source: Path, name: str, info: zipfile.ZipInfo) -> None:
    """Refuse an archive for an entry that no platform would write."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise _refusal(source, name, "a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(source, name, "neither a file nor a folder")
    if info.flag_bits & _ENCRYPTED:
        raise _refusal(source, name, "encrypted")
    parts = name.replace("\\", "/").split("/")
    if not parts[0] or _DRIVE.match(name) or ".." in parts:
        raise _refusal(source, name, "a path that leads out of the archive")


def _refusal(source: Path, name: str, what: str) -> TitoError:
    return TitoError(
        f"{source} was not opened: {name!r} is {what}, which no platform puts into a download. "
        "Download it again; ask whoever gave it to you."
    )
