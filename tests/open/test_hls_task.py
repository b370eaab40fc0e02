"""hls_task.h and ap_axi_sdata.h: kernels that take turns in C simulation, and words with a last bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ap_builds import OPEN, WARNINGS, amd_include, run_with_ours

from hwgen.errors import ToolError
from hwgen.flow.tools import run_tool

# Kernels that wait, one that does not, one that counts calls in which nothing comes, and a sink with TLAST.
NETWORK = """
#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>
#include <hls_task.h>

#include <cstdio>

typedef ap_axiu<40, 0, 0, 0> beat;
static unsigned calls = 0;

void twice(hls::stream<ap_uint<32>>& x, hls::stream<ap_uint<33>>& y) {
  const ap_uint<32> value = x.read();
  y.write(value);
  y.write(value + 1);
}

void merge(hls::stream<ap_uint<33>>& a, hls::stream<ap_uint<33>>& b, hls::stream<ap_uint<33>>& y) {
  ++calls;
  ap_uint<33> value;
  if (a.read_nb(value) || b.read_nb(value)) y.write(value);
}

// Answers eight words later, or when nothing has come in three calls.
void late(hls::stream<ap_uint<33>>& x, hls::stream<ap_uint<33>>& y) {
  static ap_uint<33> sum = 0;
  static unsigned words = 0, waited = 0;
  ap_uint<33> value;
  if (x.read_nb(value)) {
    sum += value;
    ++words;
    waited = 0;
  } else if (words != 0) {
    ++waited;
  }
  if (words == 8 || waited == 3) {
    y.write(sum);
    sum = 0;
    words = waited = 0;
  }
}

void close(hls::stream<ap_uint<33>>& x, hls::stream<beat>& y) {
  static ap_uint<2> n = 0;
  beat word;
  word.data = x.read();
  word.keep = -1;
  word.strb = -1;
  word.last = n == 3;
  ++n;
  y.write(word);
}

void top(hls::stream<ap_uint<32>>& x, hls::stream<ap_uint<32>>& z, hls::stream<beat>& y) {
  hls_thread_local hls::stream<ap_uint<33>, 2> a, b, merged, sums;
  hls_thread_local hls::task first(twice, x, a);
  hls_thread_local hls::task second(twice, z, b);
  hls_thread_local hls::task third(merge, a, b, merged);
  hls_thread_local hls::task fourth(late, merged, sums);
  hls_thread_local hls::task fifth(close, sums, y);
}
"""

MAIN = """
int main() {
  static hls::stream<ap_uint<32>> x("x"), z("z");
  static hls::stream<beat> y("y");
  top(x, z, y);
  unsigned long long sum = 0;
  unsigned lasts = 0, beats = 0;
  for (int round = 0; round < 2; ++round) {
    if (round == 0)
      for (int i = 0; i < 20; ++i) x.write(i);
    else
      for (int i = 0; i < 10; ++i) z.write(100);
    while (!y.empty()) {
      const beat word = y.read();
      sum += (unsigned long long)word.data;
      lasts += (word.last != 0) == (beats % 4 == 3);
      ++beats;
    }
  }
  const unsigned before = calls;
  std::printf("%llu %u %u %d\\n", sum, beats, lasts, y.empty() && y.empty() && calls == before);
}
"""
# Of 40 words, five answers to eight each; of 20, two such answers, and one to the rest.
PRINTED = [f"{2 * sum(range(20)) + 20 + 10 * 201} 8 8 1"]


def test_tasks_run_until_none_can_go_on_and_sleep_then(tmp_path: Path) -> None:
    assert run_with_ours(NETWORK + MAIN, tmp_path, flags=WARNINGS) == PRINTED


def test_tasks_do_the_same_with_amds_integers_and_gxx(tmp_path: Path) -> None:
    for header in ("hls_stream.h", "hls_task.h", "ap_axi_sdata.h"):
        shutil.copy(OPEN / header, tmp_path)
    (tmp_path / "main.cpp").write_text(NETWORK + MAIN)
    # Optimised, AMD's own headers read what they did not write, and g++ says so.
    flags = ["-std=c++14", "-O0", *WARNINGS, f"-I{tmp_path}", "-isystem", amd_include()]
    run_tool(["g++", *flags, tmp_path / "main.cpp", "-o", tmp_path / "main"], what="g++")
    assert run_tool([tmp_path / "main"], what="the program").splitlines() == PRINTED


def test_a_read_of_what_no_task_will_write_aborts_and_names_the_stream(tmp_path: Path) -> None:
    main = """
    int main() {
      static hls::stream<ap_uint<32>> x, z;
      static hls::stream<beat> y("results");
      top(x, z, y);
      x.write(1);
      y.read();
      y.read();
    }"""
    with pytest.raises(ToolError, match="'results' is read while empty"):
        run_with_ours(NETWORK + main, tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        # Tasks that wait for one of two streams, and tasks that are not called again.
        ("i < looked.size()", "i < 1"),
        ("patience = 64", "patience = 1"),
    ],
)
def test_a_planted_bug_in_the_turns_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    include = tmp_path / "include"
    shutil.copytree(OPEN, include)
    header = include / "hls_task.h"
    assert right in header.read_text()
    header.write_text(header.read_text().replace(right, wrong))
    assert run_with_ours(NETWORK + MAIN, tmp_path, include=include) != PRINTED


def test_words_with_a_last_bit_are_data_below_last(tmp_path: Path) -> None:
    source = """
    #include <ap_axi_sdata.h>
    #include <cstdio>
    int main() {
      using word = ap_open::stream_word<ap_axiu<12, 0, 0, 0>>;
      ap_axiu<12, 0, 0, 0> x;
      x.data = 0x123;
      x.last = 1;
      const auto y = word::value(0x0fff), z = word::value(word::bits(x));
      std::printf("%d %x %x %d ", word::width, (unsigned)word::bits(x), (unsigned)y.data, (int)y.last);
      const bool same = z.data == x.data && z.last == x.last;
      std::printf("%x %x %d\\n", (unsigned)y.keep, (unsigned)y.strb, same);
    }"""
    assert run_with_ours(source, tmp_path) == ["13 1123 fff 0 3 3 1"]
