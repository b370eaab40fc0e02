"""Where tiles lie in the plane memories, and which fills that takes.

The order of products is known, so the memories are caches that know the future: a tile that is missing goes
where the tiles that it overwrites are needed last or never again. It goes into the other half than the tile
of the product before, if it can, because a fill cannot write a half that a product reads.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from hwgen.trainer.plan import Plan, Tile
from hwgen.trainer.spec import TrainerSpec

__all__ = ["Load", "place_tiles", "tile_words"]

_NEVER = 1 << 60


class Load(NamedTuple):
    """A tile that must be filled.

    Attributes
    ----------
    tile : Tile
        Which.
    step : int
        The first product that needs it.
    after : int
        The last product that needs what it overwrites; -1: none.
    """

    tile: Tile
    step: int
    after: int


class _Place(NamedTuple):
    start: int
    stop: int
    tile: Tile


def tile_words(spec: TrainerSpec, plan: Plan, tile: Tile) -> int:
    """Return how many plane words a tile takes."""
    banks = spec.array.cols if tile.side else spec.array.rows
    groups = plan.slices[tile.fine][tile.slice].words
    planes = spec.planes(plan.operands[tile.side].width)
    return plan.strips[tile.side][tile.strip].padded // banks * groups * planes


def place_tiles(spec: TrainerSpec, plan: Plan) -> tuple[list[Load], list[tuple[int, int]]]:
    """Return the fills in the order of their first use, and the addresses of both tiles at each step."""
    uses: dict[Tile, list[int]] = {}
    for number, step in enumerate(plan.steps):
        for tile in (step.left, step.right):
            uses.setdefault(tile, []).append(number)
    memories = [_Memory(spec.a_words, uses), _Memory(spec.b_words, uses)]
    loads: list[Load] = []
    addresses = []
    for number, step in enumerate(plan.steps):
        found = []
        for tile, memory in zip((step.left, step.right), memories, strict=True):
            address, after = memory.place(tile, tile_words(spec, plan, tile), number)
            if after is not None:
                loads.append(Load(tile, number, after))
            found.append(address)
        addresses.append((found[0], found[1]))
    return loads, addresses


class _Memory:
    """What one plane memory holds."""

    def __init__(self, words: int, uses: dict[Tile, list[int]]) -> None:
        self._half = words // 2
        self._uses = uses
        self._held: dict[Tile, _Place] = {}
        self._recent = 1  # the half of the product before

    def place(self, tile: Tile, words: int, step: int) -> tuple[int, int | None]:
        """Return the tile's address at a step, and if it must be filled, after which step."""
        after = None
        if tile not in self._held:
            preferred = 1 - self._recent
            candidates = [
                (start, self._overwritten(start, words))
                for half in (preferred, 1 - preferred)
                for start in self._starts(half)
                if start + words <= (half + 1) * self._half
            ]
            # The first of those whose victims are needed latest: the preferred half, the lowest address.
            start, victims = max(candidates, key=lambda place: self._needed_first(place[1], step))
            after = max((self._used(victim, step) for victim in victims), default=-1)
            for victim in victims:
                del self._held[victim]
            self._held[tile] = _Place(start, start + words, tile)
        place = self._held[tile]
        self._recent = place.start // self._half
        return place.start, after

    def _starts(self, half: int) -> list[int]:
        low, high = half * self._half, (half + 1) * self._half
        return sorted({low, *(place.stop for place in self._held.values() if low <= place.stop < high)})

    def _overwritten(self, start: int, words: int) -> list[Tile]:
        return [p.tile for p in self._held.values() if p.start < start + words and start < p.stop]

    def _needed_first(self, tiles: list[Tile], step: int) -> int:
        """Return the next step that needs one of these tiles."""
        first = _NEVER
        for tile in tiles:
            uses = self._uses[tile]
            place = bisect_left(uses, step)
            first = min(first, uses[place] if place < len(uses) else _NEVER)
        return first

    def _used(self, tile: Tile, step: int) -> int:
        """Return the last step before that needed a tile."""
        uses = self._uses[tile]
        return uses[bisect_left(uses, step) - 1]
