"""Small cores and random commands for them."""

from __future__ import annotations

import numpy as np

from hwgen.trainer import Fill, Gemm, GoldenCore, TrainerSpec, load_spec

SMALL = {
    "kind": "trainer",
    "array": {"rows": 4, "cols": 2, "digit": 2},
    "max_k": 64,
    "buffers": {"a_kib": 2, "b_kib": 1, "c_kib": 2, "scratch_kib": 4},
}


SPLITS = "decomposable"


def small(digit: int | str = 2, rows: int = 4, cols: int = 2, **changes: object) -> TrainerSpec:
    """Return a core of digits of some bits, or that is decomposable."""
    multiplies = {"multiplier": SPLITS} if digit == SPLITS else {"digit": digit}
    return load_spec({**SMALL, "array": {"rows": rows, "cols": cols, **multiplies}, **changes})


def dirty(spec: TrainerSpec, seed: int, kind: type[GoldenCore] = GoldenCore) -> GoldenCore:
    """Return a core whose memories hold something everywhere."""
    rng = np.random.default_rng(seed)
    core = kind(spec)
    core.scratch[...] = rng.integers(-(1 << 15), 1 << 15, core.scratch.shape)
    core.a[...] = rng.integers(0, 1 << spec.array.digit, core.a.shape)
    core.b[...] = rng.integers(0, 1 << spec.array.digit, core.b.shape)
    core.c[...] = rng.integers(-(1 << 20), 1 << 20, core.c.shape)
    core.bias[...] = rng.integers(-(1 << 20), 1 << 20, core.bias.shape)
    core.mask[...] = rng.integers(2, size=core.mask.shape)
    core.fetch_quantizer.kept, core.store_quantizer.kept = -3, 5
    return core


def memories(core: GoldenCore) -> list[np.ndarray]:
    kept = np.array([core.fetch_quantizer.kept, core.store_quantizer.kept])
    held = (core.scratch, core.a, core.b, core.c, core.bias, core.mask, kept)
    return [memory.copy() for memory in held]


def unchanged(core: GoldenCore, before: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(memories(core), before, strict=True))


def random_fill(rng: np.random.Generator) -> Fill:
    """Return a fill that most small cores accept."""
    b, y, x = (int(n) for n in rng.integers(1, 4, 3))
    ky, kx = (int(n) for n in rng.integers(1, 3, 2))
    g = int(rng.integers(1, 3))
    transpose = int(rng.integers(2))
    flip = rng.integers(2)
    return Fill(
        target=int(rng.integers(2)),
        transpose=transpose,
        width=int(rng.integers(2, 17)),
        source=int(rng.integers(32, 40)),
        dest=int(rng.integers(6)),
        kgs=-(-b * y * x // 16) if transpose else ky * kx * g,
        n_b=b,
        n_y=y,
        n_x=x,
        s_b=-12 if flip else 12,
        s_y=int(rng.integers(0, 9)),
        s_x=int(rng.integers(1, 3)),
        n_ky=ky,
        n_kx=kx,
        n_g=g,
        step=int(rng.integers(1, 3)),
        offset_y=int(rng.integers(-2, 2)),
        offset_x=int(rng.integers(-2, 2)),
        limit_y=int(rng.integers(1, 5)),
        limit_x=int(rng.integers(1, 5)),
    )


def random_gemm(rng: np.random.Generator) -> Gemm:
    tiles_n = int(rng.integers(1, 4))
    return Gemm(
        a=int(rng.integers(3)),
        b=int(rng.integers(3)),
        c=int(rng.integers(3)),
        tiles_m=int(rng.integers(1, 4)),
        tiles_n=tiles_n,
        kgs=int(rng.integers(1, 4)),
        width_a=int(rng.integers(2, 17)),
        width_b=int(rng.integers(2, 17)),
        accumulate=int(rng.integers(2)),
        pitch=tiles_n + int(rng.integers(3)),
    )
