"""The native matrix product gives the bits of the golden one, whatever the unit, shape and thread count."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.errors import InputError
from hwgen.flow import gemm, native_build
from hwgen.flow.gemm import NativeGemm, compile_gemm
from hwgen.flow.gemm_register import start_states
from hwgen.flow.tools import clangxx
from hwgen.golden import Lfsr
from hwgen.operators import LfsrParameters, load

SR8 = {"mode": "sr", "bits": 8}
UNITS = {
    "e6m5": {"formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"}},
    "fp16 toward zero": {"formats": {"a": "e4m3fn", "b": "e4m3fn", "acc": "fp16"}, "rounding": "rtz"},
    "split": {"formats": {"a": "bf16", "b": "e4m3fn", "acc": "fp32"}, "accumulate": {"split": "bf16"}},
    "fixed": {"formats": {"a": "q1.7", "b": "q1.5", "acc": "q8.14"}, "overflow": "wrap"},
    "sr 8": {"formats": {"a": "e4m3fn", "b": "e4m3fn", "acc": "e6m5"}, "rounding": SR8},
    "sr 13": {"formats": {"a": "e4m3fn", "b": "e5m2", "acc": "bf16"}, "rounding": {"mode": "sr", "bits": 13}},
    "sr 40": {"formats": {"a": "bf16", "b": "bf16", "acc": "fp32"}, "rounding": {"mode": "sr", "bits": 40}},
    "sr 8, lfsr": {
        "formats": {"a": "e4m3fn", "b": "e4m3fn", "acc": "bf16"},
        "rounding": {**SR8, "rand": {"lfsr": {}}},
    },
    "dot of 4, sr 8": {
        "kind": "dot",
        "formats": {"a": "e4m3fn", "b": "e5m2", "c": "fp16", "y": "fp16"},
        "n": 4,
        "scheme": "exact",
        "rounding": SR8,
    },
    "dot of 9 in order": {
        "kind": "dot",
        "formats": {"a": "e4m3fn", "b": "e4m3fn", "c": "e6m5", "y": "e6m5"},
        "n": 9,
        "scheme": "sequential",
    },
    "sr 13, lfsr 45": {
        "formats": {"a": "e5m2", "b": "e4m3fn", "acc": "fp16"},
        "rounding": {"mode": "sr", "bits": 13, "rand": {"lfsr": {"width": 45, "seed": 7}}},
    },
}


def product(name: str) -> NativeGemm:
    return compile_gemm(load({"kind": "mac", **UNITS[name]}))


def operands(native: NativeGemm, rows: int, inner: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Patterns of every sort, and half of the rows and columns without NaNs and infinities."""
    rng = np.random.default_rng(rows + inner + columns)
    arrays = []
    for port, shape in zip(native.step.factors, [(rows, inner), (inner, columns)], strict=True):
        width = port.layout[0]
        array = rng.integers(0, 1 << width, shape, dtype=np.uint64)
        middle = 3 << width - 4  # exponents about the bias
        tame = middle ^ rng.integers(0, 1 << width - 4, shape, dtype=np.uint64)
        tame |= rng.integers(0, 2, shape, dtype=np.uint64) << np.uint64(width - 1)
        calm = (
            np.arange(shape[0])[:, None] % 2 == 0 if len(arrays) == 0 else np.arange(columns)[None] % 2 == 0
        )
        arrays.append(np.where(calm, tame, array).astype(port.dtype))
    return arrays[0], arrays[1]


@pytest.mark.parametrize("name", UNITS)
def test_the_native_product_gives_the_golden_bits(name: str) -> None:
    native = product(name)
    for shape in [(3, 50, 150), (70, 9, 20), (1, 1, 1)]:
        a, b = operands(native, *shape)
        want = native.step.golden(a, b, seed=11)
        assert want.shape == shape[::2]
        if want.size > 1000:
            assert len(np.unique(want)) > 150
        for threads in (1, 3):
            got = native(a, b, seed=11, threads=threads)
            assert got.dtype == want.dtype
            assert np.array_equal(got, want)


def test_an_addend_and_transposed_operands_are_taken() -> None:
    native = product("e6m5")
    a, b = operands(native, 20, 33, 40)
    c = np.random.default_rng(1).integers(0, 1 << 12, (20, 40)).astype(np.uint16)
    kept = c.copy()
    assert np.array_equal(native(a, b, c), native.step.golden(a, b, c))
    assert np.array_equal(native(b.T, a.T), native.step.golden(b.T, a.T))
    assert np.array_equal(c, kept)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_empty_dimensions_are_legal(shape: tuple[int, int, int]) -> None:
    native = product("e6m5")
    rows, inner, columns = shape
    result = native(np.empty((rows, inner), np.uint8), np.empty((inner, columns), np.uint8))
    assert result.shape == (rows, columns)
    assert not result.any()


def test_a_unit_with_its_own_generator_gives_what_its_stream_gives_in_order() -> None:
    unit = hwgen.operator({"kind": "mac", **UNITS["sr 8, lfsr"]})
    run = unit.compile()
    a, b = operands(compile_gemm(unit.definition), 6, 1, 5)
    addend = np.random.default_rng(2).integers(0x3F00, 0x4000, (6, 5)).astype(np.uint16)
    stream = run(np.repeat(a, 5, axis=1), np.repeat(b, 6, axis=0), addend)
    assert np.array_equal(run.gemm(a, b, addend), stream)


@pytest.mark.parametrize("width", [9, 32, 45, 64])
def test_the_start_states_are_those_of_the_register_shifted_one_by_one(width: int) -> None:
    register = Lfsr(width, None, 5)
    states = start_states(LfsrParameters(width, register.taps, 5, 1), 20, 37)
    for state in states.tolist():
        assert state == register.state
        register.shift(37)


def test_compiled_operators_multiply_matrices() -> None:
    mac = hwgen.operator({"kind": "mac", **UNITS["sr 8"]})
    run = mac.compile()
    a, b = operands(compile_gemm(mac.definition), 10, 20, 30)
    assert np.array_equal(run.gemm(a, b, seed=1, threads=2), mac.golden_gemm(a, b, seed=1))
    assert "mac_e4m3fn" in repr(run)


def test_what_cannot_be_a_product_is_refused() -> None:
    mul = {"kind": "mul", "formats": {"a": "e4m3fn", "b": "e4m3fn", "y": "bf16"}}
    with pytest.raises(InputError, match="is no step of a matrix product"):
        hwgen.operator(mul).compile().gemm([[1]], [[1]])
    wide = {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 70}}}
    with pytest.raises(
        InputError, match="a generator of 70 bits: legal for a native matrix product: up to 64"
    ):
        compile_gemm(load({"kind": "mac", **UNITS["e6m5"], "rounding": wide}))
    with pytest.raises(InputError, match="threads 0 out of range"):
        product("e6m5")([[1]], [[1]], threads=0)


@pytest.mark.parametrize(
    ("there", "planted", "name"),
    [
        ("panel + step * UNIT::terms", "panel + (step ^ 1) * UNIT::terms", "e6m5"),
        ("sums[lane] = lane < used ? c[lane] : 0", "sums[lane] = 0", "e6m5"),
        ("low_key += 0x9E3779B9u", "low_key += 0x9E3779B8u", "sr 8"),
        ("static_cast<int>(place % to_a_word) * BITS", "0", "sr 8"),
        ("row * problem.columns + column;\n    for", "row * problem.columns;\n    for", "sr 8, lfsr"),
    ],
)
def test_a_planted_bug_in_the_loops_is_seen(
    there: str, planted: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = Path(gemm.__file__).with_name("gemm_harness.hpp").read_text(encoding="utf-8")
    assert harness.count(there) == 1
    monkeypatch.setattr(gemm, "_harness", lambda: harness.replace(there, planted))
    broken = product(name)
    a, b = operands(broken, 6, 50, 150)
    c = np.full((6, 150), 0x300, np.uint16)
    assert not np.array_equal(broken(a, b, c), broken.step.golden(a, b, c))


@pytest.mark.parametrize("name", ["fp16 toward zero", "sr 8, lfsr"])
def test_the_unit_becomes_vector_code(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The compiler's own remark; a loop that stays scalar is ten times slower and still gives the right bits.
    remarks = []

    def record(what: str, code: str, folders: list[Path], **options: object) -> Path:
        for path, text in {"unit.cpp": code, **options["beside"]}.items():  # type: ignore[dict-item]
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        includes = [f"-I{folder}" for folder in [*folders, tmp_path]]
        flags = [*native_build._FLAGS, *options["flags"], "-Rpass=loop-vectorize"]  # type: ignore[misc]
        command = [*clangxx(), *flags, *includes, "-c", "unit.cpp", "-o", "unit.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        remarks.append(done.stderr)
        return native_build.build_library(what, code, folders, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(gemm, "build_library", record)
    product(name)
    line = next(
        number
        for number, text in enumerate(gemm._harness().splitlines(), 1)
        if "vectorize_width(LANES < 64" in text
    )
    remark = rf"gemm_harness.hpp:{line + 1}:\d+: remark: vectorized loop \(vectorization width: 64"
    assert re.search(remark, remarks[0])
