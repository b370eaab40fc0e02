"""Memories of kernels as RTL against models in Python, with traffic that keeps to few rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from memory_network import write_network

from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated_network import NetworkSimulation, load_network

INCLUDES = "#include <ap_int.h>\n#include <hls_stream.h>\n"

# Each activation loads a row and stores to another, or the same.
EXCHANGE = """\
void exchange(hls::stream<ap_uint<8>>& from, hls::stream<ap_uint<8>>& to, hls::stream<ap_uint<352>>& x,
              hls::stream<ap_uint<352>>& y) {
  static ap_uint<352> rows[200];
  const ap_uint<8> a = from.read(), b = to.read();
  const ap_uint<352> word = x.read();
  y.write(rows[a]);
  rows[b] = word;
}
"""

# Loads and stores come when they come; a load of this activation is older than its store.
SERVE = """\
void serve(hls::stream<ap_uint<8>>& from, hls::stream<ap_uint<8>>& to, hls::stream<ap_uint<352>>& x,
           hls::stream<ap_uint<352>>& y) {
  static ap_uint<352> rows[200];
  ap_uint<8> a, b;
  ap_uint<352> word = 0;
  static ap_uint<8> kept;
  static bool addressed = false;
  if (from.read_nb(a)) y.write(rows[a]);
  if (addressed && x.read_nb(word)) {
    rows[kept] = word;
    addressed = false;
  } else if (!addressed && to.read_nb(b)) {
    kept = b;
    addressed = true;
  }
}
"""

# Four banks of signed numbers of three rows of banks; an activation loads from all banks and stores to one.
BANKS = """\
void banks(hls::stream<ap_uint<8>>& from, hls::stream<ap_uint<8>>& to, hls::stream<ap_uint<352>>& x,
           hls::stream<ap_uint<352>>& y) {
  static ap_int<13> odd[4][100];
  const ap_uint<8> a = from.read(), b = to.read();
  const ap_uint<7> row = a.range(7, 1), place = b.range(7, 1);
  const ap_uint<352> word = x.read();
  ap_uint<352> sums = 0;
  for (int i = 0; i < 4; ++i) {
    const ap_int<13> loaded = odd[i][row];
    sums.range(32 * i + 31, 32 * i) = ap_int<32>(loaded);
  }
  const ap_uint<2> bank = word.range(14, 13);
  const ap_int<13> kept = ap_int<13>(word.range(12, 0));
  for (int i = 0; i < 4; ++i)
    if (bank == i) odd[i][place] = kept;
  y.write(sums);
}
"""


def _exchange(a: list[int], b: list[int], x: list[int]) -> list[int]:
    rows, y = [0] * 200, []
    for load, store, word in zip(a, b, x, strict=True):
        y.append(rows[load])
        rows[store] = word
    return y


def _banks(a: list[int], b: list[int], x: list[int]) -> list[int]:
    rows, y = [[0] * 100 for _ in range(4)], []
    for load, store, word in zip(a, b, x, strict=True):
        y.append(sum(rows[i][load >> 1] << 32 * i for i in range(4)))
        value = word % (1 << 13)
        rows[word >> 13 & 3][store >> 1] = value if value < 4096 else value + (1 << 32) - 8192
    return y


def _network(name: str) -> dict:
    widths = {"from": 8, "to": 8, "x": 352, "y": 352}
    return {
        "streams": [
            {"name": port, "width": width, "direction": "output" if port == "y" else "input"}
            for port, width in widths.items()
        ],
        "kernels": [
            {
                "name": "kernel",
                "function": name,
                "inputs": [{"port": port, "from": port} for port in ("from", "to", "x")],
                "outputs": [{"port": "y", "to": "y"}],
            }
        ],
    }


def _project(folder: Path, name: str, source: str) -> Path:
    write_network(folder, network=_network(name), source=INCLUDES + source, name=name)
    generate_rtl(folder)
    return folder


def _traffic(rows: int, count: int = 600) -> tuple[list[int], list[int], list[int]]:
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, rows, (2, count)).tolist()
    x = [int.from_bytes(rng.bytes(44), "little") for _ in range(count)]
    return a, b, x


def _run(simulation: NetworkSimulation, a: list[int], b: list[int], x: list[int]) -> list[int]:
    for port, words in (("from", a), ("to", b), ("x", x)):
        simulation.push(port, words)
    simulation.run(100_000, until={"y": len(a)})
    return [sum(int(limb) << 64 * i for i, limb in enumerate(row)) for row in simulation.pop("y")[0]]


@pytest.mark.parametrize("pause", [0.0, 0.5])
@pytest.mark.parametrize(
    ("name", "source", "model"), [("exchange", EXCHANGE, _exchange), ("banks", BANKS, _banks)]
)
def test_a_load_brings_what_earlier_activations_stored(
    tmp_path: Path, name: str, source: str, model: Callable[..., list[int]], pause: float
) -> None:
    simulation = load_network(_project(tmp_path / name, name, source))
    simulation.pause(pause, seed=2)
    # The same row is stored to and loaded from in one activation, in the next, and in that after.
    traffic = _traffic(rows=6)
    assert _run(simulation, *traffic) == model(*traffic)
    if pause == 0.0:
        assert simulation.cycles < len(traffic[0]) + 20


def test_loads_that_do_not_wait_overlap_with_stores(tmp_path: Path) -> None:
    simulation = load_network(_project(tmp_path / "serve", "serve", SERVE))
    _, b, x = _traffic(rows=200, count=150)
    b = list(range(150))
    simulation.push("to", b)
    simulation.push("x", x)
    simulation.pause(0.8, seed=3, ports=["to", "x"])
    simulation.pause(0.5, seed=3, ports=["from", "y"])
    simulation.run(10_000, until={"to": 0, "x": 0})
    simulation.run(20)
    # The rows are overwritten, and loads catch up with that: a row is new at first, and old at last.
    newer = _traffic(rows=200, count=300)[2][150:]
    simulation.push("to", b)
    simulation.push("x", newer)
    simulation.run(200)
    simulation.push("from", b)
    simulation.run(10_000, until={"y": 150, "x": 0})
    found = [sum(int(limb) << 64 * i for i, limb in enumerate(row)) for row in simulation.pop("y")[0]]
    kinds = [word == new for word, new in zip(found, newer, strict=True)]
    assert all(word in (old, new) for word, old, new in zip(found, x, newer, strict=True))
    assert kinds == sorted(kinds, reverse=True)
    assert 0 < sum(kinds) < 150


def test_a_memory_that_stores_before_it_loads_is_found(tmp_path: Path) -> None:
    folder = _project(tmp_path / "exchange", "exchange", EXCHANGE)
    file = folder / "rtl" / "exchange.sv"
    right = "loaded <= rows[load_row]"
    wrong = "loaded <= store && store_row == load_row ? data : rows[load_row]"
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, wrong))
    traffic = _traffic(rows=6)
    assert _run(load_network(folder), *traffic) != _exchange(*traffic)
