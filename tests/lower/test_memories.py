"""Which arrays become memories, what a request says, and what a memory cannot do in one activation."""

from __future__ import annotations

from pathlib import Path

import pytest
from lowering_bench import llvm_module

from hwgen.errors import InputError
from hwgen.flow.xls_codegen import Timing, generate_verilog
from hwgen.flow.xls_ir import optimise
from hwgen.flow.xls_traffic import Traffic
from hwgen.lower import LoweredKernel, MemoryPort, lower_kernel, lower_proc

_HEAD = """\
#include <ap_int.h>
#include <hls_stream.h>
extern "C" void k(hls::stream<ap_uint<8>>& a, hls::stream<ap_uint<16>>& x, hls::stream<ap_uint<16>>& y) {
"""
_PORTS = {"inputs": {"a": 8, "x": 16}, "outputs": {"y": 16}}


def _lower(folder: Path, body: str) -> LoweredKernel:
    return lower_kernel(llvm_module(folder, f"{_HEAD}{body}}}\n"), top="k", **_PORTS)


SHAPES = {
    "65 elements": ("static ap_uint<16> m[65];", [("m", 65, 16)]),
    "64 elements are registers": ("static ap_uint<16> m[64];", []),
    "a width that the compiler pads": ("static ap_uint<11> m[256];", [("m", 256, 11)]),
    "a native type": ("static unsigned short m[200];", [("m", 200, 16)]),
    "an initial value makes registers": ("static ap_uint<16> m[256] = {1};", []),
    "a const table is no memory": ("static const ap_uint<16> m[256] = {1, 2, 3};", []),
}


@pytest.mark.parametrize("case", SHAPES)
def test_deep_zero_arrays_of_integers_with_a_variable_index_are_memories(case: str, tmp_path: Path) -> None:
    declaration, expected = SHAPES[case]
    store = "" if "const" in declaration else "m[i] = v;"
    body = f"{declaration} const auto i = a.read() % 64; const auto v = x.read(); y.write(m[i]); {store}"
    memories = _lower(tmp_path, body).memories
    assert [(m.request.removesuffix("_request"), m.depth, m.width) for m in memories] == expected


@pytest.mark.parametrize("width", [33, 65, 130, 264, 352, 1000])
def test_a_memory_is_as_wide_as_its_elements(width: int, tmp_path: Path) -> None:
    source = f"""
    #include <ap_int.h>
    #include <hls_stream.h>
    typedef hls::stream<ap_uint<{width}>> words;
    extern "C" void k(hls::stream<ap_uint<8>>& a, words& x, words& y) {{
      static ap_uint<{width}> m[256];
      const ap_uint<8> i = a.read();
      y.write(m[i]);
      m[i] = x.read();
    }}
    """
    ports = {"inputs": {"a": 8, "x": width}, "outputs": {"y": width}}
    (memory,) = lower_kernel(llvm_module(tmp_path, source), top="k", **ports).memories
    assert (memory.depth, memory.width) == (256, width)


def test_an_array_at_constant_places_is_registers_however_deep(tmp_path: Path) -> None:
    body = """
    static ap_uint<16> line[100];
    y.write(line[99]);
    for (int i = 99; i > 0; --i) line[i] = line[i - 1];
    line[0] = x.read() + a.read();
    """
    assert _lower(tmp_path, body).memories == ()


def test_each_outer_index_has_a_memory_of_its_own(tmp_path: Path) -> None:
    body = """
    static ap_uint<16> m[2][3][80];
    const ap_uint<8> i = a.read();
    const ap_uint<16> v = x.read();
    ap_uint<16> sum = 0;
    for (int r = 0; r < 3; ++r) sum ^= m[i[0]][r][i % 64];
    m[1][2][i % 64] = v;
    y.write(sum);
    """
    memories = _lower(tmp_path, body).memories
    assert [(memory.request, memory.depth) for memory in memories] == [
        (f"m_{n}_request", 80) for n in range(6)
    ]


def test_a_request_is_load_store_rows_and_data(tmp_path: Path) -> None:
    body = "static ap_uint<16> m[256]; const ap_uint<8> i = a.read(); y.write(m[i]); m[i + 1] = x.read();"
    kernel = _lower(tmp_path, body)
    assert kernel.memories == (MemoryPort("m_request", "m_response", 256, 16),)
    assert kernel.memories[0].request_width == 2 + 2 * 8 + 16
    assert not kernel.polls


# Each marks the line that the error must name.
REFUSALS = {
    "two loads": (
        "'m' may be loaded twice in one activation",
        """
        const ap_uint<8> i = a.read();
        const ap_uint<16> one = m[i];
        y.write(one ^ m[i + 1]);  // here
        m[i] = x.read();
        """,
    ),
    "two stores": (
        "'m' may be stored to twice in one activation",
        """
        const ap_uint<8> i = a.read();
        y.write(m[i]);
        m[i] = x.read();
        m[i + 1] = 3;  // here
        """,
    ),
    "a load after the store": (
        "'m' is loaded after it was stored to",
        """
        const ap_uint<8> i = a.read(), j = i + 1;
        m[i] = x.read();
        y.write(m[j]);  // here
        """,
    ),
    "a store of what was loaded": (
        "what is stored depends on what the same activation loads",
        """
        const ap_uint<8> i = a.read();
        const ap_uint<16> sum = m[i] + x.read();
        m[i] = sum;  // here
        y.write(sum);
        """,
    ),
    "a part of an element": (
        "what is stored depends on what the same activation loads",
        """
        const ap_uint<8> i = a.read();
        y.write(m[i]);
        m[i].range(3, 0) = x.read();  // here
        """,
    ),
    "a constant in the index of a bank": (
        "the index of 'banks' is a sum with a constant",
        """
        static ap_uint<16> banks[2][100];
        const int i = a.read().to_int();
        y.write(banks[1][i - 1]);  // here
        banks[0][i] = x.read();
        """,
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_a_memory_cannot_do_is_refused_with_its_line(case: str, tmp_path: Path) -> None:
    message, body = REFUSALS[case]
    text = f"  static ap_uint<16> m[256];{body}"
    line = next(n for n, row in enumerate(f"{_HEAD}{text}".splitlines(), 1) if "// here" in row)
    with pytest.raises(InputError, match=message) as caught:
        _lower(tmp_path, text)
    assert caught.value.line == line


def test_accesses_that_exclude_each_other_are_one(tmp_path: Path) -> None:
    body = """
    static ap_uint<16> m[256];
    const ap_uint<8> i = a.read();
    if (i < 100) m[i] = x.read();
    else if (i < 200) y.write(m[i]);
    else if (i > 220) y.write(m[i - 1]);
    else m[i - 2] = 5;
    """
    assert len(_lower(tmp_path, body).memories) == 1


def test_a_loaded_word_that_comes_back_through_state_misses_every_clock(tmp_path: Path) -> None:
    body = """
    static ap_uint<16> m[256], before = 0;
    const ap_uint<8> i = a.read();
    const ap_uint<16> loaded = m[i];
    m[i] = before + x.read();
    before = loaded;
    y.write(loaded);
    """
    kernel = _lower(tmp_path, body)
    traffic = Traffic(["a", "x"], ["y"], [("m_request", "m_response")], polls=False)
    timing = Timing(stages=None, clock_ps=None, delay_model="unit")
    with pytest.raises(InputError, match="may not come back to that memory through state"):
        generate_verilog(
            optimise(kernel.xls_ir, top="k"),
            name="k",
            inputs=["a", "x"],
            output="y",
            streaming=True,
            timing=timing,
            traffic=traffic,
        )


def test_a_unit_has_no_memories(tmp_path: Path) -> None:
    body = "static ap_uint<16> m[256]; const ap_uint<8> i = a.read(); y.write(m[i]); m[i] = x.read();"
    module = llvm_module(tmp_path, f"{_HEAD}{body}}}\n")
    with pytest.raises(InputError, match="static array 'm' is a memory: it has 256 elements"):
        lower_proc(module, top="k", **_PORTS)


def test_a_stream_is_read_in_one_of_the_two_ways(tmp_path: Path) -> None:
    body = """
    ap_uint<16> v = 0;
    if (a.read() > 3) v = x.read();
    else x.read_nb(v);
    y.write(v);
    """
    with pytest.raises(InputError, match=r"stream 'x' is read by read\(\) and by read_nb\(\)"):
        _lower(tmp_path, body)
    body = "ap_uint<16> v = 0, w = 0; a.read(); x.read_nb(v); x.read_nb(w); y.write(v + w);"
    with pytest.raises(InputError, match="stream 'x' may be read twice in one activation"):
        _lower(tmp_path, body)
