"""What ap_int.h promises beyond AMD's: clean IR, no warnings, exactness where AMD's is not, refusals."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ap_builds import HERE, LOWERING_FLAGS, OPEN, WARNINGS, compile_with_ours, run_with_ours

from hwgen.errors import ToolError
from hwgen.flow.tools import clangxx, run_tool

KERNEL = (HERE / "sample_kernel.cpp").read_text()
OBJECT_ONLY = ("-c", *WARNINGS)


@pytest.mark.parametrize("standard", ["c++14", "c++20"])
def test_a_kernel_compiles_without_warnings(standard: str, tmp_path: Path) -> None:
    compile_with_ours(KERNEL, tmp_path, f"-std={standard}", *OBJECT_ONLY)


def test_a_kernel_lowers_to_registers_only(tmp_path: Path) -> None:
    shim = """
    extern "C" __attribute__((flatten))
    unsigned _BitInt(40) shim(unsigned _BitInt(8) a, unsigned _BitInt(9) b, unsigned _BitInt(5) n) {
      ap_uint<40> y;
      sample::kernel(a, b, n, y);
      return y.value;
    }"""
    # Fully unrolling loops is the caller's choice of threshold; the memory that must vanish is ours.
    flags = (*LOWERING_FLAGS, "-DHWGEN_LOWER")
    ir = compile_with_ours(KERNEL + shim, tmp_path, *flags).read_text()
    body = re.search(r"define [^\n]*@shim\((.*?)\n}", ir, re.DOTALL)
    assert body is not None
    assert not re.findall(r"\b(alloca|load|store|undef|poison|invoke)\b", body[1])
    called = set(re.findall(r"call [^@\n]*@([\w.]+)", body[1]))
    assert all(name.startswith("llvm.") for name in called), called


FACTS = r"""
#include <ap_int.h>
#include <type_traits>

template <typename T, typename U>
constexpr bool same(T, U) { return std::is_same<T, U>::value; }

// One signed bit, which has no _BitInt: 0 and -1.
static_assert(ap_int<1>(1) == -1 && ap_int<1>(-1).to_int() == -1 && ap_int<1>(2) == 0, "");
static_assert((ap_int<1>(1) * ap_int<1>(1)).to_int() == 1 && (-ap_int<1>(1)).to_int() == 1, "");
static_assert((ap_int<1>(1) >> 5) == -1 && (ap_int<1>(1) << 1) == 0, "");

// Plain data, as small as its bits allow.
static_assert(std::is_trivially_copyable<ap_uint<12>>::value, "");
static_assert(std::is_standard_layout<ap_int<77>>::value, "");
static_assert(sizeof(ap_uint<8>) == 1 && sizeof(ap_int<9>) == 2 && sizeof(ap_uint<128>) == 16, "");
static_assert(ap_uint<9>() == 0, "");

// Division of mixed signs, where AMD's C simulation is wrong.
static_assert(ap_uint<8>(200) / ap_int<7>(-11) == -18, "");
static_assert(ap_int<7>(-11) / ap_uint<70>(2) == -5, "");
static_assert(ap_uint<8>(200) % ap_int<7>(-11) == 2, "");
static_assert(ap_int<13>(-99) % ap_uint<70>(10) == -9, "");
static_assert(ap_int<8>(-128) / ap_int<8>(-1) == 128 && ap_int<8>(-128) % ap_int<8>(-1) == 0, "");

// Reductions, where AMD's count sign extension bits, or (nand) compare with the least value.
static_assert(ap_int<57>(-1).xor_reduce() && !ap_int<58>(-1).xor_reduce(), "");
static_assert(ap_uint<103>(5).nand_reduce() && !ap_uint<103>(-1).nand_reduce(), "");

// Shift amounts beyond the width, and beyond 32 bits.
static_assert((ap_uint<8>(255) << (1ull << 32)) == 0 && (ap_int<8>(-1) >> 1000) == -1, "");
static_assert((ap_uint<8>(1) << -3) == 0 && (ap_uint<8>(16) << -3) == 2, "");
static_assert((ap_uint<8>(2) >> ap_int<4>(-3)) == 16, "");

// Text, and raw bits.
static_assert(ap_uint<80>("0xfedcba98765432100123") == (ap_uint<80>(0xfedcba98765) << 36) + 0x432100123, "");
static_assert(ap_uint<8>("0b", 16) == 11 && ap_int<8>("-12") == -12 && ap_uint<8>("0b101") == 5, "");
static_assert(ap_int<4>(static_cast<unsigned char>(0xf)) == -1, "");

// Unscoped enumerations are integers, bits of one type.
enum length { three = 3 };
static_assert(same(ap_uint<8>(1) << three, ap_uint<8>()) && (ap_uint<8>(1) << three) == 8, "");
static_assert(same(ap_uint<8>(1) + three, ap_uint<8>(1) + 3), "");
"""


def test_facts_hold_at_compile_time(tmp_path: Path) -> None:
    compile_with_ours(FACTS, tmp_path, "-std=c++14", *OBJECT_ONLY)


def test_division_truncates_towards_zero_for_every_mix_of_signs_and_widths(tmp_path: Path) -> None:
    kinds = ("ap_int<7>", "ap_uint<8>", "ap_int<64>", "ap_uint<64>", "ap_int<101>", "ap_uint<444>")
    loads = "".join(f"{kind} a{i}, b{i}; load(a{i}); load_nonzero(b{i});\n" for i, kind in enumerate(kinds))
    pairs = [(i, j) for i in range(len(kinds)) for j in range(len(kinds))]
    shows = "".join(
        f"show(0, ap_int<460>(a{i})); show(0, ap_int<460>(b{j}));\n"
        f"show(0, a{i} / b{j}); show(0, a{i} % b{j});\n"
        for i, j in pairs
    )
    source = f"""
    #include "observe.h"
    int main() {{
      for (int trial = 1; trial <= 100; ++trial) {{
        random_state = 0x9e3779b97f4a7c15ull * (1000 * trial + 1);
        {loads} {shows}
      }}
    }}"""

    def number(line: str) -> int:
        _, kind, digits = line.split()
        value, width = int(digits, 16), int(kind[1:])
        return value - (1 << width) if kind[0] == "i" and value >> (width - 1) else value

    numbers = [number(line) for line in run_with_ours(source, tmp_path)]
    assert len(numbers) == 4 * 100 * len(pairs)
    for a, b, quotient, remainder in zip(*(numbers[k::4] for k in range(4)), strict=True):
        expected = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        assert (quotient, remainder) == (expected, a - b * expected)


REFUSED = {
    "ap_uint<65> x; if (x) return 1;": "write x != 0",
    "const ap_uint<8> x; x(3, 0) = 1;": "no viable overloaded '='",
    "ap_uint<8> x = 1.5;": "no viable conversion",
    "ap_uint<8> x; return x(3, 0).or_reduce();": "no member named 'or_reduce'",
    "ap_uint<8> x; x(3, 0) |= x;": "invalid operands|no viable overloaded",
    "ap_uint<0> x;": "at least one bit",
}


def test_what_amd_gets_wrong_silently_is_refused(tmp_path: Path) -> None:
    functions = "\n".join(f"int f{i}() {{ {statement} return 0; }}" for i, statement in enumerate(REFUSED))
    source = tmp_path / "refused.cpp"
    source.write_text(f"#include <ap_int.h>\n{functions}")
    done = subprocess.run(
        [*clangxx(), f"-I{OPEN}", "-std=c++14", "-c", source, "-o", tmp_path / "refused.o"],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = re.findall(r"error: .*", done.stderr)
    assert len(errors) == len(REFUSED)
    for message in REFUSED.values():
        assert any(re.search(message, error) for error in errors), (message, errors)


ACCESSES = ("x[i]", "x.test(i)", "x(i, 0)", "x(0, 3)", "x(7, -i)", "x[-i]")


def test_an_index_out_of_bounds_stops_the_simulation(tmp_path: Path) -> None:
    cases = " ".join(f"case {i}: return int({access});" for i, access in enumerate(ACCESSES))
    source = f"""
    #include <ap_int.h>
    #include <cstdlib>
    int main(int argc, char** argv) {{
      ap_uint<8> x;
      int i = 6 + argc;  // 8
      switch (std::atoi(argv[1])) {{ {cases} default: return x[i - 1]; }}
    }}"""
    program = compile_with_ours(source, tmp_path, "-std=c++14")
    run_tool([program, len(ACCESSES)], what="the access in bounds")
    for case, access in enumerate(ACCESSES):
        with pytest.raises(ToolError, match="Assertion"):
            run_tool([program, case], what=access)


def test_numbers_print_as_python_prints_them(tmp_path: Path) -> None:
    values = [0, 1, -1, 77, -(2**99), 2**99 - 1, 0xFEDCBA9876543210]
    source = "#include <ap_int.h>\n#include <iostream>\nint main() {\n"
    for value in values:
        source += f'{{ ap_int<100> x("{value}"); ap_uint<100> u(x);\n'
        source += "std::cout << x << ' ' << x.to_string(16) << ' ' << std::hex << u << std::dec << '\\n';\n"
        source += "std::cout << u.to_string() << ' ' << u.to_string(8) << ' ' << u(99, 3) << '\\n'; }\n"
    expected = []
    for value in values:
        unsigned = value % 2**100
        expected += [f"{value} {value:#x} {unsigned:#x}", f"{unsigned:#b} {unsigned:#o} {unsigned >> 3}"]
    assert run_with_ours(source + "}", tmp_path) == expected
