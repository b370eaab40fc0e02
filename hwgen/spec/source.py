"""YAML text into plain data that remembers the line of every key.

Only the loading is here; what the keys mean is `hwgen.spec.model` and the operator modules. A spec is
somebody else's file, so the loader is safe and bounded: no tags, anchors or aliases, no duplicate keys,
at most 1 MB and 32 levels.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hwgen.errors import InputError

__all__ = ["KeyPath", "SpecSource", "quoted", "read_spec"]

KeyPath = tuple[str | int, ...]

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 32
_TOO_DEEP = f"nested deeper than {_MAX_DEPTH} levels"

# libyaml when the wheel has it; both parse the same language.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def quoted(value: object) -> str:
    """Return `value` for an error message: its repr, cut to a readable length."""
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = 70
    return shortener.repr(value)


@dataclass(frozen=True)
class SpecSource:
    """Plain data of one spec, with the place each key came from.

    Attributes
    ----------
    data : dict
        Mappings, lists, strings, numbers, booleans and None.
    file : str or None
        The file it was read from; None for a spec given as a dict.
    lines : mapping of key path to int
        Line of each key, counted from 1; the empty path is the start of the document.
    """

    data: dict[str, Any]
    file: str | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """Return the line of the innermost enclosing key of `path` that the text has."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def error(self, message: str, path: KeyPath = ()) -> InputError:
        """Return an `InputError` placed at the key `path`."""
        return InputError(message, file=self.file, line=self.line(path) if self.file else None)


def read_spec(spec: str | Path | Mapping[str, Any]) -> SpecSource:
    """Read a spec from a YAML file, or take it from a dict.

    Raises
    ------
    InputError
        If the file cannot be read, is larger than 1 MB, is not YAML, or is not one mapping.
    """
    if isinstance(spec, Mapping):
        return SpecSource(dict(spec))
    path = Path(spec)
    return _parse(_read_text(path), str(path))


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"no such spec file: {str(path)!r}") from error
    except IsADirectoryError as error:
        raise InputError(f"{str(path)!r} is a folder; name the spec file in it") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot read the spec file {str(path)!r}: {reason}") from error
    if len(raw) > _MAX_BYTES:
        raise InputError(f"the spec is larger than the limit of {_MAX_BYTES:,} bytes", file=path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"byte {raw[error.start]:#04x} is not UTF-8 text", file=path, line=line) from error


def _parse(text: str, file: str) -> SpecSource:
    try:
        _refuse_bombs(text, file)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise InputError(
                    "a spec is a mapping of keys to values, such as `kind: mac`", file=file, line=1
                )
            lines: dict[KeyPath, int] = {(): root.start_mark.line + 1}
            data = _construct(root, (), lines, loader, file)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "nesting depth" in (error.problem or ""):  # newer libyaml has a limit of its own, far beyond ours
            raise InputError(_TOO_DEEP, file=file, line=mark.line + 1 if mark else None) from error
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(
            f"not valid YAML: {what}", file=file, line=mark.line + 1 if mark else None
        ) from error
    except yaml.YAMLError as error:
        # ReaderError: a control character; it has a position and no mark.
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        raise InputError(
            f"not valid YAML: {getattr(error, 'reason', error)}", file=file, line=line
        ) from error
    return SpecSource(data, file, lines)


def _refuse_bombs(text: str, file: str) -> None:
    """Refuse, before anything recursive runs, text whose tree is deeper or larger than its length shows."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            anchor = getattr(event, "anchor", None)
            raise InputError(
                f"YAML anchors and aliases ({anchor!r}) are not part of a spec", file=file, line=line
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise InputError(_TOO_DEEP, file=file, line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _construct(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], loader: Any, file: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = _construct(key_node, (), {}, loader, file)
            if not isinstance(key, str):
                raise InputError(
                    f"the key {quoted(key)} is not a word; quote it if it is meant", file=file, line=line
                )
            if key in mapping:
                first = lines[(*path, key)]
                raise InputError(
                    f"the key {quoted(key)} is given twice (first on line {first})", file=file, line=line
                )
            lines[(*path, key)] = line
            mapping[key] = _construct(value_node, (*path, key), lines, loader, file)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            items.append(_construct(item, (*path, index), lines, loader, file))
        return items
    try:
        return loader.construct_object(node)
    except ValueError as error:  # a number of thousands of digits, a thirteenth month
        line = node.start_mark.line + 1
        raise InputError(f"cannot read {quoted(node.value)}: {error}", file=file, line=line) from error
