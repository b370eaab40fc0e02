"""The operator kinds, found by their modules, and the way from a spec to an operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from hwgen.errors import InputError, legal_values
from hwgen.operators import kinds
from hwgen.operators.kind import Kind
from hwgen.operators.operator import Operator
from hwgen.spec import Record, SpecSource, read_spec, validate
from hwgen.spec.selection import lists_formats

__all__ = ["find_kind", "json_schema", "kind_names", "load", "load_project"]


def kind_names() -> tuple[str, ...]:
    """Return the names of all operator kinds, without importing them."""
    return tuple(sorted(module.name for module in iter_modules(kinds.__path__)))


def find_kind(name: str) -> Kind:
    """Return the operator kind `name`, which must be one of `kind_names`."""
    kind = import_module(f"{kinds.__name__}.{name}").KIND
    assert isinstance(kind, Kind)  # noqa: S101  (a rule for authors of kinds)
    return kind


def load(spec: str | Path | Mapping[str, Any]) -> Operator:
    """Return the operator that a spec describes.

    Parameters
    ----------
    spec : path or mapping
        A YAML file, or the same as plain data.

    Raises
    ------
    InputError
        If anything in the spec is not legal; the message says where, what, and what is legal.
    """
    return _from_source(read_spec(spec))


def load_project(folder: Path) -> Operator:
    """Return the operator of an emitted project, from the spec in its manifest.

    Raises
    ------
    InputError
        If `folder` has no manifest of hwgen's, or its spec is no longer legal.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{str(folder)!r} is no emitted project: it has no readable manifest.json"
        ) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("spec"), dict):
        raise InputError("this manifest is not hwgen's: it holds no spec", file=path)
    return _from_source(SpecSource(manifest["spec"], str(path)))


def _from_source(source: SpecSource) -> Operator:
    if "kind" not in source.data:
        raise source.error(f"the key 'kind' is missing: legal: {', '.join(kind_names())}")
    name = source.data["kind"]
    if name not in kind_names():
        legal = legal_values("kind", name, kind_names())
        if name == "trainer":
            legal = "a trainer is no operator: legal: hwgen emit, rtl, trainer area, trainer verify"
        raise source.error(legal, ("kind",))
    kind = find_kind(name)
    if kind.selected is not None and lists_formats(source.data):
        kind = kind.selected
    return Operator(kind, validate(kind.spec_model, source))


def json_schema(*others: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of spec files, for editors that complete and check them.

    Parameters
    ----------
    *others : subclasses of Record
        Specs that are of no operator.
    """
    definitions: dict[str, Any] = {}
    choices = []
    found = [find_kind(name) for name in kind_names()]
    kinds_found = [*found, *(kind.selected for kind in found if kind.selected is not None)]
    for model in [*(kind.spec_model for kind in kinds_found), *others]:
        schema = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= schema.pop("$defs", {})
        definitions[schema["title"]] = schema
        choices.append({"$ref": f"#/$defs/{schema['title']}"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hwgen spec",
        "oneOf": choices,
        "$defs": dict(sorted(definitions.items())),
    }
