"""``hwgen emit`` of a training core, and ``hwgen trainer``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hwgen.cli import main
from hwgen.flow.simulate import BenchRun
from hwgen.trainer import load_spec

SPEC = Path(__file__).parents[2] / "examples" / "trainer" / "edge_trainer.yaml"


CNN = SPEC.with_name("digits_cnn.yaml")


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_core_is_emitted_twice_with_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert run("emit", SPEC, "-o", tmp_path / folder)[0] == 0
    one, two = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
    assert Path("src/edge_trainer.cpp") in one


def test_a_core_and_an_operator_are_emitted_side_by_side(tmp_path: Path) -> None:
    code, output = run("emit", SPEC, SPEC.parents[1] / "add_bf16.yaml", "-o", tmp_path)
    assert code == 0, output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["add_bf16", "edge_trainer"]


def test_the_estimate_is_that_of_the_cycle_model_and_shorter_words_are_faster() -> None:
    code, output = run("trainer", "estimate", SPEC, "--shape", "64x64x128", "--json")
    assert code == 0, output
    rows = json.loads(output)["widths"]
    assert [row["width"] for row in rows] == [4, 8, 12, 14, 16]
    cycles = [row["cycles"] for row in rows]
    assert cycles == sorted(cycles)
    assert all(0 < row["utilisation"] < 1 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shape", "64x64"), "illegal shape '64x64': legal: MxNxK"),
        (("--shape", "0x4x4"), "illegal shape '0x4x4'"),
        (("--widths", "8,17"), "illegal word length '17': legal: 2 to 16"),
        (("--area",), "--area needs a network: legal: with --network FILE"),
        (("--plot", "p.svg"), "--plot needs a network: legal: with --network FILE"),
        (("--shape", "2x2x2", "--network", CNN), "--shape and --network are both given: legal: one of them"),
        (("--network", CNN), "legal: at most 1024; smaller minibatches or layers, or a core with larger"),
        (("--network", SPEC), "edge_trainer.yaml:2: unknown kind 'trainer': legal: network"),
    ],
)
def test_what_cannot_be_estimated_is_refused(arguments: tuple[str | Path, ...], message: str) -> None:
    code, output = run("trainer", "estimate", SPEC, *arguments)
    assert code == 2
    assert message in output


def test_a_networks_step_is_estimated_by_layer_and_pass(tmp_path: Path) -> None:
    core, plot = SPEC.with_name("image_trainer.yaml"), tmp_path / "step.png"
    code, output = run("trainer", "estimate", core, "--network", CNN, "--widths", "8,16", "--plot", plot)
    assert code == 0, output
    assert "digits_cnn on image_trainer, minibatches of 16, 8 bits" in output
    assert "1 conv2d 16-32 3x3/2  input gradient" in output
    assert "memory: scratch" in output
    assert plot.read_bytes().startswith(b"\x89PNG")
    code, as_json = run("trainer", "estimate", core, "--network", CNN, "--widths", "8,16", "--json")
    steps = json.loads(as_json)["widths"]
    assert [step["width"] for step in steps] == [8, 16]
    for step in steps:
        assert sum(part["cycles"] for part in step["passes"]) == step["total"]["cycles"]
        assert str(step["total"]["cycles"]) in output


def test_the_area_of_a_core_is_printed_with_and_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from hwgen.flow.area import AreaReport
    from hwgen.trainer import area as area_module
    from hwgen.trainer.spec import TrainerSpec

    keys = ("luts", "ffs", "carries", "muxes", "dsps", "depth", "aig_nodes", "aig_levels", "clock_ps")
    report = AreaReport(name="kernel", family="xcup", cells={}, **dict.fromkeys(keys, 512))

    def measured(target: Path | TrainerSpec, progress: object) -> area_module.CoreArea:
        kernels = dict.fromkeys(("count_products", "accumulate", "drain"), report)
        return area_module.CoreArea(load_spec(target), kernels)

    monkeypatch.setattr(area_module, "measure_core", measured)
    mlp = ("--network", SPEC.with_name("digits_mlp.yaml"), "--widths", "8")
    for arguments in (("area", SPEC), ("estimate", SPEC, *mlp, "--area")):
        code, output = run("trainer", *arguments)
        assert code == 0, output
        assert "the array: 1024 LUTs, 1.00 a digit multiplier, 0.25 a binary MAC" in output
    assert json.loads(run("trainer", "area", SPEC, "--json")[1])["luts"] == 1536
    assert json.loads(run("trainer", "estimate", SPEC, *mlp, "--area", "--json")[1])["area"]["luts"] == 1536


def test_a_cores_regression_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run("emit", SPEC, "-o", tmp_path / "core")[0] == 0
    (tmp_path / "core" / "rtl" / "edge_trainer.sv").write_text("module edge_trainer(); endmodule")
    folders = []

    def simulated(mismatches: int) -> Callable[..., BenchRun]:
        def run_bench(project: Path, seed: int) -> BenchRun:
            folders.append((project, seed))
            return BenchRun(
                vectors=9, checked=9, mismatches=mismatches, error="" if not mismatches else "bad"
            )

        return run_bench

    monkeypatch.setattr("hwgen.trainer.verify.simulate", simulated(0))
    code, output = run("trainer", "verify", tmp_path / "core", "--seed", "3")
    assert (code, folders) == (0, [(tmp_path / "core", 3)])  # its own RTL, as it is
    assert output.startswith("PASS  edge_trainer (trainer): golden = cocotb\n  9 of 9 beats compared, 0 mism")
    assert json.loads(run("trainer", "verify", tmp_path / "core", "--json")[1])["passed"] is True
    monkeypatch.setattr("hwgen.trainer.verify.simulate", simulated(2))
    code, output = run("trainer", "verify", tmp_path / "core")
    assert code == 1
    assert "FAIL  edge_trainer" in output
    assert "error: edge_trainer: golden and RTL do not agree: bad" in output


def test_commands_for_operators_name_those_for_cores(tmp_path: Path) -> None:
    assert run("emit", SPEC, "-o", tmp_path / "core")[0] == 0
    message = "a trainer is no operator: legal: hwgen emit, rtl, trainer area, trainer verify"
    for command in ("verify", "prove", "area"):
        code, output = run(command, SPEC)
        assert code == 2
        assert message in output
    code, output = run("verify", tmp_path / "core")
    assert code == 2
    assert message in output


def test_a_trainer_spec_to_start_from_loads_as_it_is(tmp_path: Path) -> None:
    code, output = run("new", "trainer", "--name", "mine", "--rounding", "sr", "--bits", "9")
    assert code == 0
    spec = tmp_path / "mine.yaml"
    spec.write_text(output)
    assert load_spec(spec) == load_spec(
        {"kind": "trainer", "name": "mine", "rounding": {"mode": "sr", "bits": 9}}
    )
    assert "digit: 2                           # bits of a digit" in output
    for arguments, message in (
        (("trainer", "--interface", "stream"), "unknown key 'interface': legal: kind, name, array"),
        (("trainer", "--format", "a=bf16"), "unknown key 'formats'"),
        (("trainr",), "unknown kind 'trainr': did you mean 'trainer'?"),
    ):
        code, output = run("new", *arguments)
        assert code == 2
        assert message in output


def test_the_schema_knows_trainers_and_networks() -> None:
    schema = json.loads(run("schema")[1])
    assert {"$ref": "#/$defs/TrainerSpec"} in schema["oneOf"]
    assert {"$ref": "#/$defs/NetworkSpec"} in schema["oneOf"]
    assert schema["$defs"]["Array"]["properties"]["digit"]["enum"] == [1, 2, 4, 8]
    short, full = schema["$defs"]["TrainerRounding"]["anyOf"]
    assert "sr" in short["enum"]
    assert set(full["properties"]) == {"mode", "bits", "lfsr"}


def test_what_no_core_does_yet_is_refused_with_what_it_does(tmp_path: Path) -> None:
    spec = tmp_path / "core.yaml"
    spec.write_text("kind: trainer\nname: core\narray: {cols: 16}\n", encoding="utf-8")
    code, output = run("emit", spec, "-o", tmp_path / "out")
    assert code == 2
    assert "array.cols 16 is not built yet: legal: 4, 8" in output
    assert not (tmp_path / "out").exists()
