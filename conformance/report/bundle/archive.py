"""The archive as a zip file: the same bytes for the same content, and read within bounds, whoever made it."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from conformance.errors import ConformanceError, UsageError

MOST_BYTES = 512 * 1024 * 1024
"""What all members may come to, unpacked."""
_MOST_MEMBERS = 16
_READ_BYTES = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3


class BundleError(ConformanceError):
    """A bundle that was tampered with, is incomplete, or cannot be read."""


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write the members in the order of their names; a file is replaced whole or not at all. Raises `UsageError`."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(members):
                info = zipfile.ZipInfo(name, _TIME)
                info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _MODE, _UNIX
                archive.writestr(info, members[name], compresslevel=9)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"cannot be written: {error.strerror or error}", where=str(path)) from error


def read_archive(path: Path, known: Collection[str]) -> dict[str, bytes]:
    """The members by name: only known ones, each once, at most `MOST_BYTES` together. Raises `BundleError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(path, archive, known)
            members: dict[str, bytes] = {}
            room = MOST_BYTES
            for info in archive.infolist():
                members[info.filename] = _content(path, archive, info, room)
                room -= len(members[info.filename])
            return members
    except OSError as error:
        raise BundleError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BundleError(f"is no archive that can be read: {error}", where=str(path)) from error


def _check_names(path: Path, archive: zipfile.ZipFile, known: Collection[str]) -> None:
    names = archive.namelist()
    if len(names) > _MOST_MEMBERS:
        raise BundleError(f"holds {len(names)} files; a bundle has a handful", where=str(path))
    for name in names:
        if name not in known:
            raise BundleError(f"holds a file that no bundle has: {name[:200]!r}", where=str(path))
        if names.count(name) > 1:
            raise BundleError(f"holds {name} twice", where=str(path))


def _content(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: int) -> bytes:
    """One member, read piece by piece: what a header says of its size is not believed."""
    pieces: list[bytes] = []
    with archive.open(info) as member:
        while piece := member.read(_READ_BYTES):
            room -= len(piece)
            if room < 0:
                raise BundleError(f"unpacks to more than {MOST_BYTES:,} bytes", where=f"{path}: {info.filename}")
            pieces.append(piece)
    return b"".join(pieces)
