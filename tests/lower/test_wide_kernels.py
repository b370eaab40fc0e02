"""Kernels whose words and state are wider than a machine word."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from kernel_bench import Kernel, Tokens, kernel_mismatches
from lowering_bench import Lowered, call_native, llvm_module, native_library

# 100 crosses calls as two words; 129 is held in bytes by the compiler, 200 and 512 as integers; 1000 ends
# inside a machine word.
WIDTHS = (100, 129, 200, 512, 1000)


def _frames(width: int) -> Kernel:
    """Fold words into a wide state until the frame ends; only then write, and begin again."""

    def model(tokens: Tokens) -> Tokens:
        total, out = 3, []
        for x, last in zip(tokens["a"], tokens["last"], strict=True):
            total = ((total << 1) ^ x) % (1 << width)
            if last:
                out.append(total)
                total = 3
        return {"y": out}

    source = f"""
        extern "C" void frames{width}(hls::stream<ap_uint<{width}>>& a, hls::stream<ap_uint<1>>& last,
                                      hls::stream<ap_uint<{width}>>& y) {{
          static ap_uint<{width}> total = 3;
          total = (total << 1) ^ a.read();
          if (last.read() == 1) {{
            y.write(total);
            total = 3;
          }}
        }}
        """
    return Kernel(source, {"a": width, "last": 1}, {"y": width}, model)


def _modes(width: int) -> Kernel:
    """Write at one of three places, read at one of two or not at all, as a mode says."""

    def model(tokens: Tokens) -> Tokens:
        words, kept, out = iter(tokens["a"]), 3, []
        for mode in tokens["mode"]:
            if mode == 0:
                out.append(kept)
            if mode in (1, 2):
                word = next(words)
                if mode == 1:
                    kept = (word + (1 << (width - 1))) % (1 << width)
                else:
                    out.append(word)
            if mode == 3:
                out.append(~kept % (1 << width))
        return {"y": out}

    source = f"""
        extern "C" void modes{width}(hls::stream<ap_uint<{width}>>& a, hls::stream<ap_uint<2>>& mode,
                                     hls::stream<ap_uint<{width}>>& y) {{
          static ap_uint<{width}> kept = 3;
          const ap_uint<2> m = mode.read();
          if (m == 0) y.write(kept);
          if (m == 1) kept = a.read() + (ap_uint<{width}>(1) << {width - 1});
          if (m == 2) y.write(a.read());
          if (m > 2) y.write(~kept);
        }}
        """
    return Kernel(source, {"a": width, "mode": 2}, {"y": width}, model)


def _dot(tokens: Tokens) -> Tokens:
    sums = []
    for a, b in zip(tokens["a"], tokens["b"], strict=True):
        sums.append(sum((a >> at & 255) * (b >> at & 255) for at in range(0, 512, 8)))
    return {"y": sums}


DOT = Kernel(
    """
    extern "C" void dot(hls::stream<ap_uint<512>>& a, hls::stream<ap_uint<512>>& b,
                        hls::stream<ap_uint<22>>& y) {
      const ap_uint<512> u = a.read();
      const ap_uint<512> v = b.read();
      ap_uint<22> sum = 0;
      for (int i = 0; i < 64; ++i)
        sum += ap_uint<8>(u.range(8 * i + 7, 8 * i)) * ap_uint<8>(v.range(8 * i + 7, 8 * i));
      y.write(sum);
    }
    """,
    {"a": 512, "b": 512},
    {"y": 22},
    _dot,
)


def _window(tokens: Tokens) -> Tokens:
    buf, out = [0] * 10, []
    for word, to, from_ in zip(tokens["a"], tokens["to"], tokens["from"], strict=True):
        out.append(buf[from_ % 10])
        buf[to % 10] = word
    return {"y": out}


WINDOW = Kernel(
    """
    extern "C" void window(hls::stream<ap_uint<200>>& a, hls::stream<ap_uint<4>>& to,
                           hls::stream<ap_uint<4>>& from, hls::stream<ap_uint<200>>& y) {
      static ap_uint<200> buf[10];
      y.write(buf[from.read().to_uint() % 10]);
      buf[to.read().to_uint() % 10] = a.read();
    }
    """,
    {"a": 200, "to": 4, "from": 4},
    {"y": 200},
    _window,
)


def test_words_of_two_registers_pass_through_kernels(tmp_path: Path) -> None:
    # The convention passes 65 to 127 bits as two words, and 128 as one integer.
    kernels = {f"frames{width}": _frames(width) for width in (65, 100, 127, 128)}
    assert kernel_mismatches(tmp_path, kernels) == []


def test_wide_words_and_wide_state_pass_through_kernels(tmp_path: Path) -> None:
    kernels = {f"frames{width}": _frames(width) for width in WIDTHS}
    kernels |= {f"modes{width}": _modes(width) for width in WIDTHS}
    assert kernel_mismatches(tmp_path, {**kernels, "dot": DOT, "window": WINDOW}) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_functions_of_wide_words_compute_the_same_natively_and_in_xls(tmp_path: Path, width: int) -> None:
    source = f"""
        #include <ap_int.h>
        template <int W> using U = unsigned _BitInt(W);
        extern "C" void wide(const U<{width}>& a, const U<{width}>& b, const U<9>& n, U<{width}>& y) {{
          const ap_uint<{width}> p(a), q(b);
          const ap_uint<{width}> sum = p + q;
          ap_uint<{width}> r = p > q ? ap_uint<{width}>(sum << int(n)) : ap_uint<{width}>(sum >> int(n));
          r.range(70, 3) = q.range({width - 1}, {width - 68});
          y = r.bits();
        }}
        """
    inputs = {"a": width, "b": width, "n": 9}
    lowered = Lowered(llvm_module(tmp_path, source), "wide", inputs, width)
    library = native_library(tmp_path, source)
    rng = random.Random(width)
    for _ in range(30):
        row = [rng.getrandbits(rng.choice([port, port // 2])) for port in inputs.values()]
        row[2] %= width
        right = call_native(library, "wide", list(zip(row, inputs.values(), strict=True)), width)
        assert set(lowered.results(row).values()) == {right}, row
