"""The compiled C++ as a function on arrays."""

import re
import shutil

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.errors import CheckError, InputError, ToolError
from hwgen.flow import csim, native_build
from hwgen.flow.csim import compile_native
from hwgen.flow.project import Project
from hwgen.flow.tools import clangxx, run_tool
from hwgen.operators import load

FP8_FMA = {"kind": "fma", "formats": {"a": "e4m3fn", "b": "e4m3fn", "c": "fp16", "y": "fp16"}}
WIDE_FMA = {"kind": "fma", "formats": {"a": "fp32", "b": "fp32", "c": "fp32", "y": "fp32"}}
SR_STREAM = {
    "kind": "mac",
    "formats": {"a": "e4m3fn", "b": "e5m2", "acc": "e6m5"},
    "rounding": {"mode": "sr", "bits": 8, "rand": {"lfsr": {"width": 33}}},
}
NARROW_MUL = {"kind": "mul", "formats": {"a": "e3m2", "b": "e2m1", "y": "e4m3fn"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Emit a spec once for this module."""
    root, emitted = tmp_path_factory.mktemp("projects"), {}

    def emit_once(spec):
        operator = load(spec)
        if operator.name not in emitted:
            emitted[operator.name] = emit(operator, root / operator.name)
        return operator, emitted[operator.name]

    return emit_once


@pytest.mark.parametrize("spec", [FP8_FMA, WIDE_FMA, SR_STREAM], ids=["fp8", "fp32", "stream"])
def test_native_results_are_golden_on_hard_vectors(project, spec):
    operator, folder = project(spec)
    operands = operator.vectors(20_000, seed=7)
    result = compile_native(folder)(*operands)
    assert result.dtype == operator.output.dtype
    assert np.array_equal(result, operator.golden(*operands))


def test_operands_are_broadcast_like_golden(project):
    operator, folder = project(NARROW_MUL)
    a, b = np.arange(64, dtype=np.uint8)[:, None], np.arange(16, dtype=np.int64)
    assert np.array_equal(compile_native(folder)(a, b), operator.golden(a, b))


def test_a_generator_starts_from_reset_in_every_call(project):
    operator, folder = project(SR_STREAM)
    native = compile_native(folder)
    operands = operator.vectors(1000, seed=8)
    first = native(*operands)
    assert np.array_equal(native(*operands), first)
    assert np.array_equal(compile_native(folder)(*operands), first)
    halves = [native(*(column[part] for column in operands)) for part in (slice(500), slice(500, None))]
    assert np.array_equal(halves[0], first[:500])
    assert not np.array_equal(halves[1], first[500:])  # fresh words, not those that would follow


@pytest.mark.parametrize(
    ("operands", "error", "message"),
    [
        ((np.uint8(1),), TypeError, r"2 operands \(a, b\), not 1"),
        ((np.uint8(64), np.uint8(0)), InputError, "0x40, which does not fit 6 bits"),
        ((np.int64(-1), np.uint8(0)), InputError, "-0x1, which does not fit 6 bits"),
        ((1.5, np.uint8(0)), InputError, "must be bit patterns"),
    ],
)
def test_operands_that_are_no_words_of_the_ports_are_refused(project, operands, error, message):
    _, folder = project(NARROW_MUL)
    with pytest.raises(error, match=message):
        compile_native(folder)(*operands)


def test_changed_sources_are_compiled_anew(project, tmp_path):
    operator, original = project(NARROW_MUL)
    folder = shutil.copytree(original, tmp_path / "changed")
    source = folder / "src" / f"{operator.name}.cpp"
    text = source.read_text()
    assert text.count("(a, b)") == 1
    source.write_text(text.replace("(a, b)", "(a, ap_uint<4>(b ^ 8))"))
    operands = operator.exhaustive()
    assert np.array_equal(compile_native(folder)(*operands), operator.golden(operands[0], operands[1] ^ 8))


WRITES = "y.write(result);"
NORM = {"kind": "norm", "formats": {"x": "bf16", "y": "fp32"}}


@pytest.mark.parametrize(
    ("spec", "right", "wrong", "message"),
    [
        (SR_STREAM, "b.read();", "(b.read(), b.read());", "stream b is read while empty, after 0 results"),
        (
            SR_STREAM,
            WRITES,
            f"static int late; if (++late > 9) b.read(); {WRITES}",
            "stream b is read while empty, after 9 results",
        ),
        (SR_STREAM, WRITES, f"if (result[0]) {WRITES}", "results, but 100 are due"),
        (
            {**NARROW_MUL, "name": "narrow_stream", "interface": "stream"},
            WRITES,
            "static hls::stream<ap_uint<8>> inner; y.write(inner.read());",
            "a stream inside the design is read while empty, after 0 results",
        ),
        (NORM, "ctrl.read();", "(ctrl.read(), ctrl.read());", "stream ctrl is read while empty"),
    ],
    ids=["input", "later", "no result", "inside", "frames"],
)
def test_a_design_that_reads_more_than_it_is_given_fails_the_check(
    project, tmp_path, spec, right, wrong, message
):
    operator, original = project(spec)
    folder = shutil.copytree(original, tmp_path / "greedy")
    source = folder / "src" / f"{operator.name}.cpp"
    text = source.read_text()
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    native, operands = compile_native(folder), operator.vectors(100, seed=1)
    counts = operator.result_counts(*operands)
    expected = {} if counts is None else {"results": int(counts.sum())}
    for _ in range(2):  # the failure of one call is not that of the next
        with pytest.raises(CheckError, match=message):
            native(*operands, **expected)


def test_cpp_that_does_not_compile_is_a_tool_error_naming_the_line(project, tmp_path):
    operator, original = project(NARROW_MUL)
    folder = shutil.copytree(original, tmp_path / "broken")
    source = folder / "src" / f"{operator.name}.cpp"
    source.write_text(source.read_text().replace("(a, b)", "(a, nonsense)"))
    with pytest.raises(ToolError, match=rf"{operator.name}\.cpp:\d+:\d+: error: .*nonsense"):
        compile_native(folder)


def test_a_folder_without_manifest_or_with_a_broken_one_is_refused(tmp_path):
    with pytest.raises(InputError, match="run hwgen emit first"):
        compile_native(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "x"}')
    with pytest.raises(InputError, match="not a manifest"):
        compile_native(tmp_path)


@pytest.mark.parametrize("spec", [FP8_FMA, WIDE_FMA], ids=["fp8", "fp32"])
def test_the_batch_loop_is_vectorised(project, tmp_path, spec):
    """Speed itself is for the benchmarks: here other work may share the processor."""
    _, folder = project(spec)
    unit = tmp_path / "unit.cpp"
    unit.write_text(csim._wrapper(Project.read(folder)))
    command = [
        *clangxx(),
        *native_build._FLAGS,
        f"-I{folder / 'src'}",
        f"-I{folder / 'open'}",
        "-S",
        "-emit-llvm",
        unit,
    ]
    run_tool([*command, "-o", tmp_path / "unit.ll"], what="clang")
    body = (tmp_path / "unit.ll").read_text().split("@hwgen_batch(", 1)[1]
    body = body.split("\n}\n", 1)[0]
    assert re.search(r"<\d+ x i\d+>", body)
    assert "alloca" not in body
