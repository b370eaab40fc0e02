"""Projects on disk: the same bytes each time, whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hwgen.emit import emit, emit_all, render_project
from hwgen.errors import InputError
from hwgen.operators import Operator, load

SPEC: dict[str, Any] = {"kind": "mul", "name": "unit", "formats": {"a": "e2m1", "b": "e2m1", "y": "e2m1"}}


def operator(**keys: Any) -> Operator:
    return load({**SPEC, **keys})


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_project_has_the_files_that_its_manifest_lists_and_no_others(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    manifest = json.loads((folder / "manifest.json").read_text())
    files = contents(folder)
    assert set(files) == {*manifest["files"], "manifest.json"}
    for path, digest in manifest["files"].items():
        assert hashlib.sha256(files[path]).hexdigest() == digest
    assert (folder / "rtl").is_dir()
    expected = {
        "src/unit.cpp",
        "src/unit.hpp",
        "src/hwgen/mul.hpp",
        "open/ap_int.h",
        "open/hls_stream.h",
        "Makefile",
    }
    expected |= {"tb/tb_unit.cpp", "tb/vectors.txt", "vitis/hls_config.cfg", "vitis/run_hls.tcl", "README.md"}
    assert expected <= set(files)


def test_only_the_headers_that_the_design_includes_are_copied(tmp_path: Path) -> None:
    files = contents(emit(operator(), tmp_path / "p"))
    assert "src/hwgen/lfsr.hpp" not in files
    assert "src/hwgen/mac.hpp" not in files
    stochastic = operator(rounding={"mode": "sr", "bits": 4, "rand": {"lfsr": {}}})
    assert "src/hwgen/lfsr.hpp" in render_project(stochastic)


def test_the_manifest_says_what_the_flow_needs(tmp_path: Path) -> None:
    unit = operator(
        rounding={"mode": "sr", "bits": 4, "rand": {"lfsr": {"width": 16}}}, target={"clock_ps": 700}
    )
    manifest = json.loads(render_project(unit)["manifest.json"])
    assert (manifest["kind"], manifest["name"], manifest["interface"]) == ("mul", "unit", "stream")
    assert manifest["inputs"] == [{"name": name, "width": 4, "format": "e2m1"} for name in "ab"]
    assert manifest["output"] == {"name": "y", "width": 4, "format": "e2m1"}
    assert manifest["lfsr"] == {
        "width": 16,
        "taps": 1 << 15 | 1 << 13 | 1 << 4 | 1,
        "seed": 0xACE1,
        "bits": 4,
    }
    assert manifest["target"] == {"clock_ps": 700, "delay_model": "sky130", "part": "xczu7ev-ffvc1156-2-e"}
    assert load(manifest["spec"]) == unit
    assert len(manifest["spec_sha256"]) == 64


def test_emitting_twice_gives_identical_bytes(tmp_path: Path) -> None:
    first, second = emit(operator(), tmp_path / "p"), emit(operator(), tmp_path / "q")
    assert contents(first) == contents(second)
    assert contents(emit(operator(), tmp_path / "p")) == contents(second)


def test_equal_specs_written_differently_give_identical_bytes() -> None:
    spelt = {"float": {"exponent": 2, "mantissa": 1, "specials": "none"}}
    other = load(
        {
            **SPEC,
            "formats": {**SPEC["formats"], "a": spelt},
            "rounding": {"mode": "rne"},
            "overflow": "saturate",
        }
    )
    assert render_project(other) == render_project(operator())


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert (emit(operator(), tmp_path) / "manifest.json").is_file()


def test_missing_parents_are_made(tmp_path: Path) -> None:
    assert emit(operator(), tmp_path / "a/b/c").is_dir()


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds files that hwgen did not write"):
        emit(operator(), tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize(
    "manifest", ["{}", "[]", "nonsense", '{"hwgen": 1, "files": {}}', '{"hwgen": "1", "files": 3}']
)
def test_somebody_elses_manifest_is_foreign(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(InputError, match=r"manifest\.json that is not hwgen's"):
        emit(operator(), tmp_path)
    assert contents(tmp_path) == {"manifest.json": manifest.encode()}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        emit(operator(), tmp_path / "p")
    with pytest.raises(InputError, match=r"cannot (write|read)"):
        emit(operator(), tmp_path / "p/q")
    assert contents(tmp_path) == {"p": b"a file"}


def test_files_that_the_user_added_outlive_a_new_emission(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    (folder / "notes.md").write_text("mine")
    (folder / "tb/extra").mkdir()
    (folder / "tb/extra/vectors.txt").write_text("mine too")
    (folder / "link").symlink_to("notes.md")
    emit(operator(name="other"), folder)
    files = contents(folder)
    assert files["notes.md"] == b"mine"
    assert files["tb/extra/vectors.txt"] == b"mine too"
    assert (folder / "link").is_symlink()
    assert "src/other.cpp" in files
    assert "src/unit.cpp" not in files


def test_a_listed_file_that_the_user_edited_is_not_overwritten(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    source = folder / "src/unit.cpp"
    source.write_text(source.read_text() + "// tuned by hand\n")
    before = contents(folder)
    with pytest.raises(InputError, match=r"unit\.cpp' was edited since it was emitted"):
        emit(operator(rounding="rtz"), folder)
    assert contents(folder) == before
    source.unlink()
    emit(operator(rounding="rtz"), folder)
    assert source.is_file()


def test_rtl_is_kept_while_it_belongs_to_the_design(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    for name in ("unit.sv", "unit.ir", "unit.json", "mine.sv"):
        (folder / "rtl" / name).write_text("module")
    emit(operator(), folder)
    assert {path.name for path in (folder / "rtl").iterdir()} == {
        "unit.sv",
        "unit.ir",
        "unit.json",
        "mine.sv",
    }
    emit(operator(rounding="rtz"), folder)
    assert {path.name for path in (folder / "rtl").iterdir()} == {"mine.sv"}


def test_reports_go_with_the_design_they_are_about(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    (folder / "verify.json").write_text("{}")
    emit(operator(), folder)
    assert (folder / "verify.json").exists()
    emit(operator(rounding="rtz"), folder)
    assert not (folder / "verify.json").exists()


def test_the_folder_and_unchanged_files_stay_the_same_files(tmp_path: Path) -> None:
    # So a shell that sits in the folder still does, and make rebuilds no more than it must.
    folder = emit(operator(), tmp_path / "p")
    same = [folder, folder / "src", folder / "src/hwgen/mul.hpp", folder / "open/ap_int.h"]
    changed = [folder / "src/unit.cpp", folder / "tb/vectors.txt", folder / "manifest.json"]
    before = {path: path.stat().st_ino for path in [*same, *changed]}
    emit(operator(rounding="rtz"), folder)
    assert all(path.stat().st_ino == before[path] for path in same)
    assert all(path.stat().st_ino != before[path] for path in changed)
    assert not [path for path in folder.iterdir() if path.name.startswith(".hwgen")]


def test_folders_that_only_held_old_files_go_with_them(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "retired").mkdir()
    (folder / "retired/header.hpp").write_text("old")
    manifest["files"]["retired/header.hpp"] = hashlib.sha256(b"old").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    emit(operator(), folder)
    assert not (folder / "retired").exists()


def test_a_file_of_the_user_in_the_place_of_a_new_one_is_refused(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    (folder / "src/other.cpp").write_text("mine")
    before = contents(folder)
    with pytest.raises(InputError, match=r"other\.cpp' is in the place of a new file"):
        emit(operator(name="other"), folder)
    assert contents(folder) == before


def test_an_emission_that_was_killed_half_way_is_finished_by_the_next(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "p")
    wanted = operator(rounding="rtz")
    (folder / "src/unit.cpp").write_bytes(render_project(wanted)["src/unit.cpp"])
    emit(wanted, folder)
    assert contents(folder) == contents(emit(wanted, tmp_path / "q"))


def test_several_specs_get_a_folder_each(tmp_path: Path) -> None:
    paths = emit_all([operator(name="one"), operator(name="two")], tmp_path / "all")
    assert [path.name for path in paths] == ["one", "two"]
    assert all((path / "manifest.json").is_file() for path in paths)


def test_two_specs_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two specs have the name 'unit'"):
        emit_all([operator(), operator(rounding="rtz")], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_one_bad_folder_among_several_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "all/two").mkdir(parents=True)
    (tmp_path / "all/two/precious").write_text("mine")
    with pytest.raises(InputError, match="did not write"):
        emit_all([operator(name="one"), operator(name="two")], tmp_path / "all")
    assert contents(tmp_path / "all") == {"two/precious": b"mine"}


@pytest.mark.parametrize("call", [1, 2, 5, 9, 12, 19])
def test_a_rename_that_fails_half_way_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    root = tmp_path / "all"
    emit_all([operator(name="one"), operator(name="two")], root)
    (root / "one/notes").write_text("mine")
    (root / "two/rtl/two.sv").write_text("module")
    before = contents(root)
    calls = 0
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OSError(28, "No space left on device", str(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(InputError, match="No space left on device"):
        emit_all([operator(name="one", rounding="rtz"), operator(name="two", rounding="rtz")], root)
    assert contents(root) == before
    assert sorted(path.name for path in root.iterdir()) == ["one", "two"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(InputError, match=r"cannot write the project: .*No space left on device"):
        emit(operator(), tmp_path / "new/p")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_place_is_refused() -> None:
    # Root may write anywhere but here.
    with pytest.raises(InputError, match="cannot write the project: /proc"):
        emit(operator(), "/proc/hwgen_project")


def test_a_symbolic_link_to_a_project_stays_a_link(tmp_path: Path) -> None:
    folder = emit(operator(), tmp_path / "real")
    (tmp_path / "link").symlink_to(folder)
    assert emit(operator(rounding="rtz"), tmp_path / "link") == folder
    assert (tmp_path / "link").is_symlink()


def test_vectors_are_exhaustive_where_that_is_short_and_say_so() -> None:
    lines = render_project(operator())["tb/vectors.txt"].decode().splitlines()
    assert "256, all operand combinations" in lines[0]
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert len(rows) == 256
    unit = operator()
    for a, b, y in rows[::17]:
        assert int(unit.golden(int(a, 16), int(b, 16))) == int(y, 16)
