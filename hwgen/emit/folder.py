"""Projects on disk: written whole or not at all, and never over somebody else's files.

A project is first written to a temporary sibling of its folder and then renamed into place, so a reader sees
the old project or the new one. What already lies in the folder decides what happens:

- nothing, or an empty folder: the project is put there;
- a project of hwgen's (it has our manifest): its files are replaced. Files that the manifest does not list
  are the user's and are kept; a listed file that was edited since is refused, not lost. RTL made from the
  old design is removed if the design changes;
- anything else is foreign and refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hwgen.emit.render import MANIFEST, render_project
from hwgen.errors import InputError
from hwgen.operators import Operator

__all__ = ["emit", "emit_all"]


def emit(operator: Operator, folder: str | Path) -> Path:
    """Write the project of `operator` to `folder` and return its resolved path.

    Raises
    ------
    InputError
        If the folder is foreign, holds edited files of an older project, or cannot be written. Then nothing
        has changed on disk.
    """
    return _emit([(operator, Path(folder))])[0]


def emit_all(operators: Sequence[Operator], folder: str | Path) -> list[Path]:
    """Write each operator's project to ``folder/<name>``; all of them, or none.

    Raises
    ------
    InputError
        As `emit`; also if two operators have the same name.
    """
    names = [operator.name for operator in operators]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two specs have the name {name!r}; each project needs its own: set the key 'name'"
            )
    return _emit([(operator, Path(folder) / operator.name) for operator in operators])


def _emit(tasks: Sequence[tuple[Operator, Path]]) -> list[Path]:
    folders = [folder.resolve() for _, folder in tasks]
    rendered = [render_project(operator) for operator, _ in tasks]
    old = [_read_old_project(folder) for folder in folders]
    with ExitStack() as undo:
        try:
            staged = [
                _stage(files, folder, manifest, undo)
                for files, folder, manifest in zip(rendered, folders, old, strict=True)
            ]
            for temporary, folder in zip(staged, folders, strict=True):
                _swap(temporary, folder, undo)
        except OSError as error:
            raise InputError(
                f"cannot write the project: {error.filename or folders[0]}: {error.strerror}"
            ) from error
        undo.pop_all()
    for folder in folders:
        shutil.rmtree(_aside(folder), ignore_errors=True)
    return folders


def _read_old_project(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of the project in `folder`, None if there is nothing; refuse anything else."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        if not folder.is_dir():
            raise InputError(f"the output folder {str(folder)!r} is a file; name a new or empty folder")
        manifest = json.loads((folder / MANIFEST).read_bytes())
        listed = dict(manifest["files"])
        assert isinstance(manifest["hwgen"], str)  # noqa: S101  (handled as foreign below)
    except FileNotFoundError:
        raise InputError(
            f"the output folder {str(folder)!r} holds files that hwgen did not write (no {MANIFEST}); "
            "name a new or empty folder, or an emitted project"
        ) from None
    except (ValueError, KeyError, TypeError, AssertionError):
        raise InputError(
            f"the output folder {str(folder)!r} has a {MANIFEST} that is not hwgen's; "
            "name a new or empty folder"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read the output folder {str(folder)!r}: {error.strerror}") from error
    for path, digest in listed.items():
        file = folder / path
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise InputError(
                f"{str(file)!r} was edited since it was emitted; "
                "move the edit elsewhere, or delete the file, and emit again"
            )
    return dict(manifest)


def _stage(files: dict[str, bytes], folder: Path, old: dict[str, Any] | None, undo: ExitStack) -> Path:
    """Write what `folder` is to hold to a temporary sibling."""
    _make_parents(folder.parent, undo)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    undo.callback(shutil.rmtree, temporary, ignore_errors=True)
    temporary.chmod(0o755)  # mkdtemp's 0700 is for secrets
    for path, content in files.items():
        file = temporary / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (temporary / "rtl").mkdir(exist_ok=True)
    if old is not None:
        for kept in _kept(folder, old, json.loads(files[MANIFEST])):
            target = temporary / kept.relative_to(folder)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(kept, target, follow_symlinks=False)
    return temporary


def _kept(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> list[Path]:
    """Return the files of an older project that outlive it: the user's, and RTL that still belongs."""
    gone = {MANIFEST, *old["files"]}
    if _design(old) != _design(new):
        gone |= {f"rtl/{old['name']}{suffix}" for suffix in (".sv", ".ir", ".json")}
    files = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(path for path in files if path.relative_to(folder).as_posix() not in gone)


def _design(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what RTL is made from: the design's sources and the target."""
    sources = {
        path: digest for path, digest in manifest["files"].items() if path.startswith(("src/", "open/"))
    }
    return {"sources": sources, "target": manifest.get("target")}


def _make_parents(folder: Path, undo: ExitStack) -> None:
    if not folder.exists():
        _make_parents(folder.parent, undo)
        folder.mkdir(exist_ok=True)
        undo.callback(_remove_if_empty, folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _swap(temporary: Path, folder: Path, undo: ExitStack) -> None:
    """Rename `temporary` to `folder`, with what was there put aside until all projects are in place."""
    if folder.exists():
        aside = _aside(folder)
        shutil.rmtree(aside, ignore_errors=True)  # left by a process that was killed
        folder.rename(aside)
        undo.callback(aside.rename, folder)
    temporary.rename(folder)
    undo.callback(folder.rename, temporary)
