"""Projects on disk: written whole or not at all, and never over somebody else's files.

Everything is written to a temporary folder first and then renamed into place; an error on the way undoes
what was done. What already lies in the output folder decides what happens:

- nothing: the project appears there in one rename;
- an empty folder, or a project of hwgen's (it has our manifest): the folder stays, only files that change
  are replaced. Files that the manifest does not list are the user's and stay as they are. A file that was
  edited since, or one of the user's in the place of a new one, is refused. RTL and reports that were made
  from the old design are removed if the design changes;
- anything else is foreign and refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.emit.render import MANIFEST, render_project
from hwgen.errors import InputError
from hwgen.operators import Operator

__all__ = ["emit", "emit_all", "emit_files", "emit_named"]


def emit(operator: Operator, folder: str | Path) -> Path:
    """Write the project of `operator` to `folder` and return its resolved path.

    Raises
    ------
    InputError
        If the folder is foreign, holds edited files of an older project, or cannot be written. Then nothing
        has changed on disk.
    """
    return emit_files(render_project(operator), folder)


def emit_files(files: Mapping[str, bytes], folder: str | Path) -> Path:
    """Write the files of a project, a manifest among them, to `folder`; as `emit`.

    Parameters
    ----------
    files : mapping of str to bytes
        Path below the folder to content.
    """
    return _emit([(files, Path(folder))])[0]


def emit_all(operators: Sequence[Operator], folder: str | Path) -> list[Path]:
    """Write each operator's project to ``folder/<name>``; all of them, or none.

    Raises
    ------
    InputError
        As `emit`; also if two operators have the same name.
    """
    return emit_named([(operator.name, render_project(operator)) for operator in operators], folder)


def emit_named(projects: Sequence[tuple[str, Mapping[str, bytes]]], folder: str | Path) -> list[Path]:
    """Write the files of each project to ``folder/<name>``; all of them, or none; as `emit_all`."""
    names = [name for name, _ in projects]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two specs have the name {name!r}; each project needs its own: set the key 'name'"
            )
    return _emit([(files, Path(folder) / name) for name, files in projects])


@dataclass(frozen=True)
class _Change:
    """What is to happen to one folder: files to write and files to remove, as paths below it."""

    folder: Path
    written: dict[str, bytes]
    removed: list[str]


def _emit(tasks: Sequence[tuple[Mapping[str, bytes], Path]]) -> list[Path]:
    changes = [_plan(files, folder.resolve()) for files, folder in tasks]
    with ExitStack() as cleanup, ExitStack() as undo:
        try:
            staged = [_stage(change, cleanup, undo) for change in changes]
            for change, temporary in zip(changes, staged, strict=True):
                _apply(change, temporary, undo)
        except OSError as error:
            place = error.filename or changes[0].folder
            raise InputError(f"cannot write the project: {place}: {error.strerror}") from error
        undo.pop_all()
    return [change.folder for change in changes]


# ---- what is to change -------------------------------------------------------------------------------


def _plan(files: Mapping[str, bytes], folder: Path) -> _Change:
    old = _read_old_manifest(folder)
    if old is None:
        return _Change(folder, dict(files), [])
    listed: dict[str, str] = old["files"]
    written = {}
    for path, content in files.items():
        present = _digest(folder / path)
        if present == hashlib.sha256(content).hexdigest():
            continue
        if present is not None and path not in listed and path != MANIFEST:
            raise InputError(f"{str(folder / path)!r} is in the place of a new file; move it and emit again")
        written[path] = content
    for path, digest in listed.items():
        if (path in written or path not in files) and _digest(folder / path) not in (digest, None):
            raise InputError(
                f"{str(folder / path)!r} was edited since it was emitted; "
                "move the edit elsewhere, or delete the file, and emit again"
            )
    gone = set(listed) - set(files)
    if _design(old) != _design(json.loads(files[MANIFEST])):
        gone |= {f"rtl/{old['name']}{suffix}" for suffix in (".sv", ".ir", ".json")}
        gone |= {"verify.json", "verify.txt"}
    return _Change(folder, written, sorted(path for path in gone if (folder / path).is_file()))


def _read_old_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of the project in `folder`, None if there is nothing; refuse anything else."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        if not folder.is_dir():
            raise InputError(f"the output folder {str(folder)!r} is a file; name a new or empty folder")
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"the output folder {str(folder)!r} holds files that hwgen did not write (no {MANIFEST}); "
            "name a new or empty folder, or an emitted project"
        ) from None
    except ValueError:
        manifest = None
    except OSError as error:
        raise InputError(f"cannot read the output folder {str(folder)!r}: {error.strerror}") from error
    types = {"hwgen": str, "name": str, "files": dict}
    ours = isinstance(manifest, dict) and all(
        isinstance(manifest.get(key), kind) for key, kind in types.items()
    )
    if not ours:
        raise InputError(
            f"the output folder {str(folder)!r} has a {MANIFEST} that is not hwgen's; "
            "name a new or empty folder"
        )
    return dict(manifest)


def _digest(file: Path) -> str | None:
    """Return the SHA-256 of a file, None if there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _design(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what RTL is made from: the design's sources and the target."""
    sources = {
        path: digest for path, digest in manifest["files"].items() if path.startswith(("src/", "open/"))
    }
    return {"sources": sources, "target": manifest.get("target")}


# ---- changing it -------------------------------------------------------------------------------------


def _stage(change: _Change, cleanup: ExitStack, undo: ExitStack) -> Path:
    """Write the new files to a temporary folder, on the file system of the output folder."""
    beside = change.folder if change.folder.exists() else change.folder.parent
    _make_folder(beside, undo)
    temporary = Path(tempfile.mkdtemp(prefix=".hwgen-", dir=beside))
    cleanup.callback(shutil.rmtree, temporary, ignore_errors=True)
    for path, content in change.written.items():
        file = temporary / "new" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (temporary / "new/rtl").mkdir(parents=True, exist_ok=True)
    return temporary


def _apply(change: _Change, temporary: Path, undo: ExitStack) -> None:
    """Rename the staged files into place, the manifest last; what was there is put aside."""
    folder, new = change.folder, temporary / "new"
    if not folder.exists():
        new.rename(folder)
        undo.callback(shutil.rmtree, folder)
        return
    for path in change.removed:
        _move(folder / path, temporary / "old" / path, undo)
    for path in sorted(change.written, key=lambda path: path == MANIFEST):
        if (folder / path).exists():
            _move(folder / path, temporary / "old" / path, undo)
        _move(new / path, folder / path, undo)
    _make_folder(folder / "rtl", undo)
    for parent in {(folder / path).parent for path in change.removed}:
        _remove_empty(parent, folder)


def _move(source: Path, target: Path, undo: ExitStack) -> None:
    _make_folder(target.parent, undo)
    source.rename(target)
    undo.callback(target.rename, source)


def _make_folder(folder: Path, undo: ExitStack) -> None:
    if not folder.exists():
        _make_folder(folder.parent, undo)
        folder.mkdir()
        undo.callback(shutil.rmtree, folder, ignore_errors=True)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove `folder` and its parents below `root` as far as they are empty; but never ``rtl``."""
    while folder not in (root, root / "rtl") and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
