"""Which streams an activation reads and writes, and the state it keeps between activations."""

from __future__ import annotations

from pathlib import Path

from kernel_bench import Kernel, Tokens, kernel_mismatches


def _echo(tokens: Tokens) -> Tokens:
    buf, out = [0] * 16, []
    for word, to, from_ in zip(tokens["a"], tokens["to"], tokens["from"], strict=True):
        out.append(buf[from_])
        buf[to] = word
    return {"y": out}


def _soft(tokens: Tokens) -> Tokens:
    """Frames of eight in, their distances from the largest out: activations that only read or only write."""
    words, out = tokens["a"], []
    for at in range(0, len(words), 8):
        frame = words[at : at + 8]
        out += [max(frame) - word for word in frame]
    return {"y": out}


def _matrix(tokens: Tokens) -> Tokens:
    """Add to one element of a matrix of signed numbers that were not all zero at reset; show another."""
    rows, out, phase = [[1, -2, 3], [-4, 0, 0], [0, 0, 0], [0, 0, 4095]], [], 0
    for x, i, j in zip(tokens["a"], tokens["i"], tokens["j"], strict=True):
        if j < 3:
            value = rows[i][j] + (x - 8192 if x >> 12 else x)
            rows[i][j] = (value + 4096) % 8192 - 4096
        out.append(rows[phase // 3][phase % 3] % 8192)
        phase = (phase + 1) % 12
    return {"y": out}


def _serve(tokens: Tokens) -> Tokens:
    """A small machine: a command decides which streams it reads and writes; one stream has four writers."""
    a, b, y, z, level, seen, armed = iter(tokens["a"]), iter(tokens["b"]), [], [], 9, 0, False
    for command in tokens["c"]:
        if command < 3:
            level = (level + next(a)) % 256
        if command == 3:
            y.append(level)
        if command == 4:
            word = next(b)
            y.append(word ^ level)
            z.append(seen)
        if command == 5 and armed:
            y.append(255)
        if command == 5 and not armed:
            y.append((next(a) + next(b)) % 256)
        if command > 5:
            armed = command == 6
        seen = (seen + 1) % 1024
    return {"y": y, "z": z}


def _levels(tokens: Tokens) -> Tokens:
    """Write at a place that a comparison of a count decides; the last token of a frame brings two results."""
    y, z, n, total = [], [], 0, 0
    for x in tokens["a"]:
        total = (total + x) % 4096
        if n < 4:
            y.append(x)
        if n == 6:
            y.append(total)
            z.append(n)
        if n == 7:
            y.append(total ^ 0xFFF)
            total = 0
        n = (n + 1) % 8
    return {"y": y, "z": z}


KERNELS = {
    # The word that is written first does not depend on the word that is read last.
    "echo": Kernel(
        """
        extern "C" void echo(hls::stream<ap_uint<16>>& a, hls::stream<ap_uint<4>>& to,
                             hls::stream<ap_uint<4>>& from, hls::stream<ap_uint<16>>& y) {
          static ap_uint<16> kept[16];
          y.write(kept[from.read()]);
          kept[to.read()] = a.read();
        }
        """,
        {"a": 16, "to": 4, "from": 4},
        {"y": 16},
        _echo,
    ),
    "soft": Kernel(
        """
        extern "C" void soft(hls::stream<ap_uint<10>>& a, hls::stream<ap_uint<10>>& y) {
          static ap_uint<10> kept[8];
          static ap_uint<10> largest;
          static ap_uint<3> n = 0;
          static bool draining = false;
          if (draining) {
            y.write(largest - kept[n]);
          } else {
            const ap_uint<10> x = a.read();
            kept[n] = x;
            if (n == 0 || x > largest) largest = x;
          }
          if (n == 7) draining = !draining;
          ++n;
        }
        """,
        {"a": 10},
        {"y": 10},
        _soft,
    ),
    "matrix": Kernel(
        """
        extern "C" void matrix(hls::stream<ap_uint<13>>& a, hls::stream<ap_uint<2>>& i,
                               hls::stream<ap_uint<2>>& j, hls::stream<ap_uint<13>>& y) {
          static ap_int<13> rows[4][3] = {{1, -2, 3}, {-4}, {}, {0, 0, 4095}};
          static struct { unsigned char row, column; } at = {0, 0};
          const ap_uint<2> row = i.read(), column = j.read();
          const ap_int<13> x = a.read();
          if (column < 3) rows[row][column] += x;
          y.write(rows[at.row][at.column]);
          if (++at.column == 3) {
            at.column = 0;
            at.row = (at.row + 1) % 4;
          }
        }
        """,
        {"a": 13, "i": 2, "j": 2},
        {"y": 13},
        _matrix,
    ),
    "serve": Kernel(
        """
        extern "C" void serve(hls::stream<ap_uint<3>>& c, hls::stream<ap_uint<8>>& a,
                              hls::stream<ap_uint<8>>& b, hls::stream<ap_uint<8>>& y,
                              hls::stream<ap_uint<10>>& z) {
          static ap_uint<8> level = 9;
          static ap_uint<10> seen = 0;
          static bool armed = false;
          const ap_uint<3> command = c.read();
          if (command < 3) level += a.read();
          if (command == 3) y.write(level);
          if (command == 4) {
            y.write(b.read() ^ level);
            z.write(seen);
          }
          if (command == 5 && armed) y.write(255);
          if (command == 5 && !armed) y.write(a.read() + b.read());
          if (command > 5) armed = command == 6;
          ++seen;
        }
        """,
        {"c": 3, "a": 8, "b": 8},
        {"y": 8, "z": 10},
        _serve,
    ),
    "levels": Kernel(
        """
        extern "C" void levels(hls::stream<ap_uint<12>>& a, hls::stream<ap_uint<12>>& y,
                               hls::stream<ap_uint<3>>& z) {
          static ap_uint<12> total = 0;
          static ap_uint<3> n = 0;
          const ap_uint<12> x = a.read();
          total += x;
          if (n < 4) y.write(x);
          if (n == 6) {
            y.write(total);
            z.write(n);
          }
          if (n == 7) {
            y.write(~total);
            total = 0;
          }
          ++n;
        }
        """,
        {"a": 12},
        {"y": 12, "z": 3},
        _levels,
    ),
}


def test_an_activation_reads_and_writes_what_its_conditions_say(tmp_path: Path) -> None:
    assert kernel_mismatches(tmp_path, KERNELS) == []
