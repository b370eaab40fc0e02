"""Loading of spec files: lines, duplicates, size and everything that is not a spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.errors import InputError
from hwgen.spec import read_spec


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "spec.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_spec(write(folder, text))
    return caught.value


def test_every_key_remembers_its_line(tmp_path: Path) -> None:
    source = read_spec(
        write(tmp_path, "# comment\nkind: mac\nformats:\n  a: e5m2\n  b:\n    float: {exponent: 4}\n")
    )
    assert source.data == {"kind": "mac", "formats": {"a": "e5m2", "b": {"float": {"exponent": 4}}}}
    assert source.line(("kind",)) == 2
    assert source.line(("formats", "b")) == 5
    assert source.line(("formats", "b", "float", "exponent")) == 6


def test_a_missing_key_is_placed_at_its_parent(tmp_path: Path) -> None:
    source = read_spec(write(tmp_path, "kind: mac\nformats:\n  a: e5m2\n"))
    assert source.line(("formats", "acc")) == 2


def test_the_letter_y_is_a_key_and_not_a_truth_value(tmp_path: Path) -> None:
    assert read_spec(write(tmp_path, "formats: {x: e5m2, y: e4m3fn}")).data["formats"]["y"] == "e4m3fn"


def test_a_duplicate_key_names_both_lines(tmp_path: Path) -> None:
    error = refusal(tmp_path, "kind: mac\nname: a\nkind: add\n")
    assert error.line == 3
    assert "'kind'" in error.message
    assert "line 1" in error.message


def test_a_duplicate_key_deep_inside_is_found(tmp_path: Path) -> None:
    error = refusal(tmp_path, "formats:\n  a: {float: {exponent: 4,\n    exponent: 5}}\n")
    assert (error.line, "'exponent'" in error.message) == (3, True)


def test_a_spec_of_ten_megabytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    error = refusal(tmp_path, "kind: mac\n" + "# filler\n" * 1_200_000)
    assert "1,000,000 bytes" in error.message


@pytest.mark.parametrize(
    ("text", "line", "fragment"),
    [
        ("kind: [mac\n", 2, "not valid YAML"),
        ("kind: mac\n\tname: x\n", 2, "not valid YAML"),
        ("kind: mac\nname: \x00\n", 2, "not valid YAML"),
        (b"kind: mac\nname: \xff\xfe\n", 2, "0xff is not UTF-8"),
        ("- kind\n- mac\n", 1, "a spec is a mapping"),
        ("just words\n", 1, "a spec is a mapping"),
        ("", 1, "a spec is a mapping"),
        ("kind: mac\n---\nkind: add\n", 2, "not valid YAML"),
        ("kind: mac\n1: one\n", 2, "the key 1 is not a word"),
        ("kind: mac\n? [a, b]\n: one\n", 2, "is not a word"),
        ("kind: &k mac\nname: *k\n", 1, "anchors and aliases"),
        ("kind: mac\nname: !!python/object:os.system x\n", 2, "not valid YAML"),
        ("kind: mac\nname: " + "9" * 5000 + "\n", 2, "cannot read"),
        ("kind: mac\nname: 2001-99-99\n", 2, "cannot read"),
        ("kind: mac\nname: " + "[" * 40 + "]" * 40 + "\n", 2, "nested deeper"),
        ("kind: " + "[" * 400_000, 1, "nested deeper"),
        ("kind: mac\nformats: {<<: {a: e5m2}}\n", 2, "not valid YAML"),
    ],
)
def test_what_is_no_spec_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, line: int, fragment: str
) -> None:
    error = refusal(tmp_path, text)
    assert fragment in error.message
    assert error.line == line
    assert error.file == str(tmp_path / "spec.yaml")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such spec file: '.*none.yaml'"):
        read_spec(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a folder"):
        read_spec(tmp_path)
    with pytest.raises(InputError, match="cannot read the spec file"):
        read_spec("nul\0byte.yaml")


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    error = refusal(tmp_path, f"? [{'x' * 9000}]\n: 1\n")
    assert len(error.message) < 300
