"""A small network of four kernels around a memory: frames come in, are kept, and go out again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

NAME = "memo"

SOURCE = """\
#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>
#include <hls_task.h>
typedef ap_axiu<64, 0, 0, 0> beat;

// A command of 32 bits: operation 2 (1 takes a frame, 2 gives one), 6 unused, base 8, words 8.
// One is in flight.
void decode(hls::stream<ap_uint<32>>& cmd, hls::stream<ap_uint<1>>& a, hls::stream<ap_uint<1>>& b,
            hls::stream<ap_uint<33>>& load, hls::stream<ap_uint<33>>& reads,
            hls::stream<ap_uint<16>>& status) {
  static ap_uint<32> held;
  static bool busy = false;
  static ap_uint<12> count = 0;
  ap_uint<1> x;
  if (!busy) {
    ap_uint<32> c;
    if (cmd.read_nb(c)) {
      held = c;
      busy = true;
      if (c.range(1, 0) == 1) load.write(c);
      else reads.write(c);
    }
  } else if (a.read_nb(x) || b.read_nb(x)) {
    busy = false;
    ap_uint<16> s = 0;
    s.range(11, 0) = count;
    s.range(13, 12) = held.range(1, 0);
    status.write(s);
    ++count;
  }
}

void fetch(hls::stream<ap_uint<33>>& job, hls::stream<beat>& din, hls::stream<ap_uint<73>>& writes,
           hls::stream<ap_uint<1>>& done) {
  static ap_uint<8> at, left = 0;
  static bool active = false;
  if (!active) {
    const ap_uint<33> j = job.read();
    at = j.range(15, 8);
    left = j.range(23, 16);
    active = true;
  } else {
    const beat x = din.read();
    ap_uint<73> w = 0;
    w.range(63, 0) = x.data;
    w.range(71, 64) = at;
    w[72] = 1;
    writes.write(w);
    ++at;
    --left;
    if (left == 0 || x.last) {
      active = false;
      done.write(1);
    }
  }
}

void memory(hls::stream<ap_uint<73>>& writes, hls::stream<ap_uint<33>>& reads,
            hls::stream<ap_uint<65>>& data) {
  static ap_uint<64> bank[256];
  static ap_uint<8> at, left = 0;
  static bool active = false;
  bool last = false;
  if (active) {
    ap_uint<65> d = 0;
    last = left == 1;
    d.range(63, 0) = bank[at];
    d[64] = last;
    data.write(d);
    ++at;
    --left;
  }
  ap_uint<73> w;
  if (writes.read_nb(w)) bank[w.range(71, 64)] = w.range(63, 0);
  ap_uint<33> r;
  if (!active) {
    if (reads.read_nb(r)) {
      at = r.range(15, 8);
      left = r.range(23, 16);
      active = true;
    }
  } else if (last) {
    active = false;
  }
}

void drain(hls::stream<ap_uint<65>>& data, hls::stream<beat>& dout, hls::stream<ap_uint<1>>& done) {
  const ap_uint<65> d = data.read();
  beat x;
  x.data = d.range(63, 0);
  x.keep = -1;
  x.strb = -1;
  x.last = d[64];
  dout.write(x);
  if (d[64]) done.write(1);
}

void memo(hls::stream<ap_uint<32>>& cmd, hls::stream<beat>& din, hls::stream<beat>& dout,
          hls::stream<ap_uint<16>>& status) {
  hls_thread_local hls::stream<ap_uint<33>, 2> load;
  hls_thread_local hls::stream<ap_uint<33>, 4> reads;
  hls_thread_local hls::stream<ap_uint<73>, 2> writes;
  hls_thread_local hls::stream<ap_uint<65>, 1> data;
  hls_thread_local hls::stream<ap_uint<1>, 2> taken, given;
  hls_thread_local hls::task decoding(decode, cmd, taken, given, load, reads, status);
  hls_thread_local hls::task fetching(fetch, load, din, writes, taken);
  hls_thread_local hls::task keeping(memory, writes, reads, data);
  hls_thread_local hls::task draining(drain, data, dout, given);
}
"""

NETWORK = {
    "streams": [
        {"name": "cmd", "width": 32, "direction": "input", "last": False},
        {"name": "din", "width": 64, "direction": "input", "last": True},
        {"name": "dout", "width": 64, "direction": "output", "last": True},
        {"name": "status", "width": 16, "direction": "output", "last": False},
    ],
    "channels": [
        {"name": "load", "width": 33, "depth": 2},
        {"name": "reads", "width": 33, "depth": 4},
        {"name": "writes", "width": 73, "depth": 2},
        {"name": "data", "width": 65, "depth": 1},
        {"name": "taken", "width": 1, "depth": 2},
        {"name": "given", "width": 1, "depth": 2},
    ],
    "kernels": [
        {
            "name": "decode",
            "function": "decode",
            "inputs": [
                {"port": "cmd", "from": "cmd"},
                {"port": "a", "from": "taken"},
                {"port": "b", "from": "given"},
            ],
            "outputs": [
                {"port": "load", "to": "load"},
                {"port": "reads", "to": "reads"},
                {"port": "status", "to": "status"},
            ],
        },
        {
            "name": "fetch",
            "function": "fetch",
            "inputs": [{"port": "job", "from": "load"}, {"port": "din", "from": "din"}],
            "outputs": [{"port": "writes", "to": "writes"}, {"port": "done", "to": "taken"}],
        },
        {
            "name": "memory",
            "function": "memory",
            "inputs": [{"port": "writes", "from": "writes"}, {"port": "reads", "from": "reads"}],
            "outputs": [{"port": "data", "to": "data"}],
        },
        {
            "name": "drain",
            "function": "drain",
            "inputs": [{"port": "data", "from": "data"}],
            "outputs": [{"port": "dout", "to": "dout"}, {"port": "done", "to": "given"}],
        },
    ],
}


def write_network(
    folder: Path, *, network: dict | None = None, source: str = SOURCE, name: str = NAME
) -> Path:
    """Write the least that the flow reads of a network: manifest and C++."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"{name}.cpp").write_text(source)
    (folder / "manifest.json").write_text(json.dumps({"name": name, "network": network or NETWORK}))
    return folder


def frames(rng: np.random.Generator, count: int) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray]:
    """Return commands, the words to push, TLAST of these, and what must come out, which has the same TLAST.

    Each frame is taken and given again at once; where frames overlap in memory, the younger counts.
    """
    commands, words, last = [], [], []
    for _ in range(count):
        base, length = int(rng.integers(0, 200)), int(rng.integers(1, 50))
        commands += [1 | base << 8 | length << 16, 2 | base << 8 | length << 16]
        words.append(rng.integers(0, 1 << 63, length, dtype=np.uint64))
        last += [False] * (length - 1) + [True]
    every = np.concatenate(words)
    return commands, every, np.array(last), every
