"""A draft to its folder: written beside it under another name and renamed, so that there is all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from conformance.errors import PageError


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything, or cannot be made. Errors: `PageError`."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise PageError(
            "there is a file of that name", where=str(folder), hint="Name a folder that does not exist yet."
        )
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise PageError(
                "the folder is not empty, and nothing is overwritten",
                where=str(folder),
                hint="Name a new folder, or compare with --check.",
            )
    except OSError as error:
        raise PageError(
            f"the folder cannot be read: {error.strerror}", where=str(folder), hint="Name another folder."
        ) from None


def write_draft(files: Mapping[str, str], folder: Path) -> None:
    """Write all files below `folder`, which must not exist or be empty. Errors: `PageError` when it cannot be written."""
    check_free(folder)
    target = folder.absolute()
    made: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        for name, text in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        made.chmod(0o777 & ~_umask(target.parent))
        made.rename(target)
        made = None
    except OSError as error:
        raise PageError(
            f"the draft cannot be written: {error.strerror}",
            where=str(folder),
            hint="Name a folder that can be written.",
        ) from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _umask(parent: Path) -> int:
    """The rights that the folder above takes away, so that the draft is as readable as its neighbours."""
    return 0o777 & ~(parent.stat().st_mode & 0o777) if parent.exists() else 0o022
