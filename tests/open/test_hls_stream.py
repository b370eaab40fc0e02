"""hls_stream.h: a queue in C simulation, calls on a channel when lowered to RTL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ap_builds import LOWERING_FLAGS, WARNINGS, compile_with_ours, run_with_ours

from hwgen.errors import ToolError

KERNEL = """
#include <ap_int.h>
#include <hls_stream.h>

void accumulate(hls::stream<ap_uint<8>>& x, hls::stream<ap_int<9>>& y) {
  static ap_uint<8> sum = 3;
  ap_uint<8> next;
  x >> next;
  sum += next;
  if (sum[0]) y.write(sum - 300);
}
"""


def test_tokens_come_out_in_the_order_they_went_in(tmp_path: Path) -> None:
    source = (
        KERNEL
        + """
    #include <cstdio>
    int main() {
      hls::stream<ap_uint<8>> x("x");
      hls::stream<ap_int<9>, 4> y;
      for (int i = 0; i < 6; ++i) x << i;
      std::printf("%zu %d %d\\n", x.size(), x.empty(), x.full());
      while (!x.empty()) accumulate(x, y);  // sums 3 4 6 9 13 18
      std::printf("%d ", y.read().to_int());
      ap_int<9> last = 0;
      y.read(last);
      std::printf("%d ", last.to_int());
      const bool first = y.read_nb(last), none = y.read_nb(last);
      std::printf("%d %d %d %d\\n", first, last.to_int(), none, y.write_nb(last));
    }"""
    )
    lines = run_with_ours(source, tmp_path, flags=WARNINGS)
    sums = [(value - 300 + 256) % 512 - 256 for value in (3, 9, 13)]
    assert lines == ["6 0 0", f"{sums[0]} {sums[1]} 1 {sums[2]} 0 1"]


def test_reading_an_empty_stream_aborts_and_names_the_stream(tmp_path: Path) -> None:
    source = '#include <hls_stream.h>\nint main() { hls::stream<int> x("weights"); return x.read(); }'
    with pytest.raises(ToolError, match="'weights' is read while empty"):
        run_with_ours(source, tmp_path)


def test_streams_cannot_be_copied(tmp_path: Path) -> None:
    source = "#include <hls_stream.h>\nhls::stream<int> x, y(x);"
    with pytest.raises(ToolError, match="deleted"):
        compile_with_ours(source, tmp_path, "-std=c++14", "-c")


def test_lowered_streams_become_calls_on_their_channels(tmp_path: Path) -> None:
    shim = """
    extern "C" __attribute__((flatten)) void shim(hls::stream<ap_uint<8>>& x, hls::stream<ap_int<9>>& y) {
      accumulate(x, y);
    }"""
    flags = (*LOWERING_FLAGS, *WARNINGS, "-Wno-unused-command-line-argument", "-DHWGEN_LOWER")
    ir = compile_with_ours(KERNEL + shim, tmp_path, *flags).read_text()
    body = re.search(r"define [^\n]*@shim\((.*?)\n}", ir, re.DOTALL)
    assert body is not None
    # Nothing but the handshakes and the state: one read always, one write in a branch.
    assert re.findall(r"call [^@\n]*@\w*(__hwgen_\w+?)ILi(\d+)E", body[1]) == [
        ("__hwgen_receive", "8"),
        ("__hwgen_send", "9"),
    ]
    assert "invoke" not in body[1]
    assert "alloca" not in body[1]


@pytest.mark.parametrize("member", ["empty()", "full()", "size()", "write_nb(t)"])
def test_what_has_no_handshake_is_refused_when_lowering(member: str, tmp_path: Path) -> None:
    source = (
        f"#include <hls_stream.h>\nbool f(hls::stream<ap_uint<8>>& x, ap_uint<8>& t) {{ return x.{member}; }}"
    )
    with pytest.raises(ToolError, match="no member named"):
        compile_with_ours(source, tmp_path, *LOWERING_FLAGS, "-DHWGEN_LOWER")
