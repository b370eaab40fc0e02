"""Commands do what they say, teach in their help, and start fast."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hwgen.cli import main
from hwgen.formats import format_names
from hwgen.operators import kind_names, load

ROOT = Path(__file__).parents[2]
COMMANDS = ("formats", "new", "schema", "emit", "rtl", "verify", "prove", "eval", "area", "vitis")


def output(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_help_lists_the_commands_in_the_order_of_work() -> None:
    text = output("--help")
    places = [text.index(f"\n  {command} ") for command in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_with_an_example(command: str) -> None:
    text = output(command, "--help")
    assert "Example:" in text
    assert f"hwgen {command} " in text
    assert all((ROOT / path).is_file() for path in re.findall(r"examples/\S+", text))


def test_help_does_not_wait_for_heavy_modules() -> None:
    program = (
        "import sys, click.testing, hwgen.cli;"
        "click.testing.CliRunner().invoke(hwgen.cli.main, ['--help']);"
        "heavy = {'numpy', 'pydantic', 'rich', 'jinja2', 'yaml', 'xls', 'llvmlite'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_formats_lists_every_name_and_shows_one() -> None:
    listing = output("formats")
    for name in format_names():
        assert f"\n{name} " in listing
    shown = output("formats", "e4m3fn")
    assert "448" in shown
    assert "0x7F" in shown
    record = json.loads(output("formats", "q1.7", "--json"))
    assert record["family"] == "fixed"
    assert {entry["name"] for entry in json.loads(output("formats", "--json"))} == set(format_names())


@pytest.mark.parametrize("kind", kind_names())
def test_new_prints_a_spec_that_emits(kind: str, tmp_path: Path) -> None:
    spec = tmp_path / "new.yaml"
    spec.write_text(output("new", kind))
    assert output("emit", spec, "-o", tmp_path / "p") == f"{load(spec).name}: {tmp_path / 'p'}\n"
    assert (tmp_path / "p/manifest.json").is_file()


def test_new_takes_options() -> None:
    text = output("new", "mac", "--name", "mine", "--format", "acc=bf16", "--rounding", "sr", "--bits", "7")
    assert "name: mine " in text
    assert "  acc: bf16 " in text
    assert "  bits: 7 " in text


def test_the_published_schema_is_the_current_one() -> None:
    assert json.loads((ROOT / "docs/spec.schema.json").read_text()) == json.loads(output("schema"))


def test_emit_puts_several_projects_side_by_side(tmp_path: Path) -> None:
    specs = [ROOT / "examples/add_bf16.yaml", ROOT / "examples/mac_q1_7_q8_14.yaml"]
    output("emit", *specs, "-o", tmp_path / "all")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["add_bf16", "mac_q1_7_q8_14"]


def evaluate(spec: Path, text: str, *options: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hwgen.cli", "eval", spec, *options],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_eval_is_golden_line_by_line() -> None:
    spec = ROOT / "examples/mul_e4m3fn_e5m2_bf16.yaml"
    operator = load(spec)
    a, b = operator.vectors(20_000, seed=8)
    lines = evaluate(spec, "".join(f"{x:x} 0x{y:02X}\n" for x, y in zip(a.tolist(), b.tolist(), strict=True)))
    assert lines == [f"{word:04x}" for word in operator.golden(a, b).tolist()]


def test_eval_takes_an_emitted_project_and_a_last_line_without_newline(tmp_path: Path) -> None:
    output("emit", ROOT / "examples/add_bf16.yaml", "-o", tmp_path / "p")
    assert evaluate(tmp_path / "p", "3f80 3f80\n3f80 bf80") == ["4000", "0000"]
    assert evaluate(tmp_path / "p", "") == []


def test_eval_with_a_generator_takes_its_words_from_reset_on() -> None:
    spec = ROOT / "examples/stream_mac_e5m2_fp16_sr10.yaml"
    operator = load(spec)
    columns = operator.vectors(300, seed=8)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    lines = evaluate(spec, "".join(" ".join(f"{word:x}" for word in row) + "\n" for row in rows))
    assert np.array_equal([int(line, 16) for line in lines], operator.golden(*columns))


def test_eval_answers_before_its_input_ends() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hwgen.cli", "eval", ROOT / "examples/add_bf16.yaml"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line, answer in ((b"3f80 3f80\n", b"4000\n"), (b"4000 3f80\n", b"4040\n")):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == answer
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def test_eval_agrees_between_golden_and_the_compiled_cpp() -> None:
    spec = ROOT / "examples/mac_e4m3fn_e5m2_e6m5_sr8.yaml"
    operator = load(spec)
    rows = zip(*(column.tolist() for column in operator.vectors(500, seed=3)), strict=True)
    text = "".join(" ".join(f"{word:x}" for word in row) + "\n" for row in rows)
    assert evaluate(spec, text, "--engine", "csim") == evaluate(spec, text)


def test_output_in_a_pipe_is_plain(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "hwgen.cli", "formats"], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout
    assert done.stdout.isascii()


def test_emit_costs_less_than_six_imports_of_numpy(tmp_path: Path) -> None:
    # Half a second at most where NumPy takes 85 ms. A ratio, for tests share their machine.
    def cost(*arguments: str | Path) -> float:
        before = os.times()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    spec = ROOT / "examples/mac_e4m3fn_e5m2_e6m5_sr8.yaml"
    numpy_costs, emit_costs = [], []
    for attempt in range(4):
        numpy_costs.append(cost("-c", "import numpy"))
        emit_costs.append(cost("-m", "hwgen.cli", "emit", spec, "-o", tmp_path / str(attempt)))
    assert min(emit_costs) < 6 * min(numpy_costs)
