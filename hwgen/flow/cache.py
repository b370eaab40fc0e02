"""Builds that are kept between runs, found again by the content they were made from.

An entry is a folder named by the SHA-256 of everything its bytes depend on (sources, flags, tool
versions), so it is never stale and never updated: it is complete, or it does not exist. Nothing here
knows what is built, and no build may refer to its own folder by an absolute path, because it is moved
into place when it is done.

Entries live under the user's cache folder, or under ``HWGEN_CACHE_DIR`` when that is set; both may be
deleted at any time when no build runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.resources import cache_dir

__all__ = ["build", "content_key"]

_UNUSED_DAYS = 30
"""Entries that no build has asked for in this many days are removed when a new one is made."""


def content_key(material: Iterable[str | bytes | Path]) -> str:
    """Return the hexadecimal SHA-256 of `material`, in order.

    Parameters
    ----------
    material : iterable of str, bytes or Path
        A `Path` stands for the bytes of that file, or for all names and files below that folder; where
        the file lies does not count. Every part is hashed with its length, so that no two different
        lists give the same stream of bytes.
    """
    digest = hashlib.sha256()

    def add(data: bytes) -> None:
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)

    for part in material:
        if isinstance(part, Path):
            files = [part] if part.is_file() else sorted(p for p in part.rglob("*") if p.is_file())
            add(str(len(files)).encode())
            for file in files:
                add(file.relative_to(part).as_posix().encode())
                add(file.read_bytes())
        else:
            add(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()


def build(key_material: Iterable[str | bytes | Path], builder: Callable[[Path], None]) -> Path:
    """Return the folder that `builder` makes from `key_material`, making it only if it is not cached.

    Of several processes that ask for the same entry at once, one builds and the others wait. `builder`
    writes into a fresh folder beside the final one, which is renamed when it returns: a build that
    fails or is killed leaves no entry.

    Parameters
    ----------
    key_material : iterable of str, bytes or Path
        Everything the result depends on; see `content_key`.
    builder : callable
        Called with an empty folder to fill. What it raises is passed on.

    Returns
    -------
    Path
        The complete entry; to be read, not written.

    Raises
    ------
    ToolError
        If the cache folder cannot be written.
    """
    root = cache_dir()
    entry = root / content_key(key_material)
    if not entry.is_dir():
        _require_writable(root)
        with _exclusive(entry.with_suffix(".lock")):
            if not entry.is_dir():
                _build_into(entry, builder)
                _remove_unused(root)
    os.utime(entry)  # last use, for _remove_unused
    return entry


def _require_writable(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        writable = os.access(root, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise ToolError(
            f"the build cache {str(root)!r} cannot be written; set HWGEN_CACHE_DIR to a folder that can"
        )


def _build_into(entry: Path, builder: Callable[[Path], None]) -> None:
    part = entry.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # of a killed process: we hold the lock, so nobody writes it
    part.mkdir()
    try:
        builder(part)
        part.rename(entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    """Hold `lock` against other processes and threads; the system frees it even if we are killed."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _remove_unused(root: Path) -> None:
    oldest = time.time() - _UNUSED_DAYS * 86400
    for entry in root.iterdir():
        try:
            if entry.is_dir() and not entry.suffix and entry.stat().st_mtime < oldest:
                shutil.rmtree(entry, ignore_errors=True)
        except FileNotFoundError:  # another process removed it first
            continue
