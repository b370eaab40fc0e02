"""The control-flow graph of one function: order, dominators and path conditions.

If-conversion needs three things: an order in which each block follows its predecessors, the nearest block
that every path to a join has passed, and the condition under which control takes a given way between the two.
Conditions are Boolean terms built through a small interface, so that this module knows nothing of XLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from hwgen.lower.llvm import Function
from hwgen.lower.location import lowering_error

__all__ = ["ControlFlow", "Decisions", "Logic", "Outcome"]

Term = TypeVar("Term")


class Logic(Protocol[Term]):
    """What a path condition is built with; `bool` stands for the two constants."""

    def choose(self, condition: Term, if_true: Term | bool, if_false: Term | bool) -> Term | bool:
        """Return the one-bit ``condition ? if_true : if_false``."""
        ...


Outcome = Callable[[str, str], bool | None]
"""Verdict on taking the edge (from, to): true, false, or None where the answer never matters."""

Decisions = tuple[Sequence[tuple[Term, str]], str]
"""How a block leaves: tests in order, each with its successor, then the successor when all fail."""


class ControlFlow:
    """An acyclic control-flow graph.

    Parameters
    ----------
    function : Function
        The function; every loop in it must have been unrolled.

    Raises
    ------
    InputError
        Naming the C++ line of a loop that is left.
    """

    def __init__(self, function: Function) -> None:
        self.entry = next(iter(function.blocks))
        self.successors: dict[str, tuple[str, ...]] = {
            name: tuple(dict.fromkeys(block.successors)) for name, block in function.blocks.items()
        }
        self.order = self._topological_order(function)
        self._index = {name: number for number, name in enumerate(self.order)}
        self.predecessors: dict[str, list[str]] = {name: [] for name in self.order}
        for name in self.order:
            for successor in self.successors[name]:
                self.predecessors[successor].append(name)
        self._reaching_of: dict[str, frozenset[str]] = {}
        self._idom = self._dominators()
        self._dead = self._dead_blocks(function)

    def _topological_order(self, function: Function) -> list[str]:
        """Order the reachable blocks by depth-first search; an edge back to an open block is a loop."""
        state: dict[str, bool] = {}  # present = seen, True = finished
        finished: list[str] = []
        stack = [(self.entry, iter(self.successors[self.entry]))]
        state[self.entry] = False
        while stack:
            name, remaining = stack[-1]
            successor = next(remaining, None)
            if successor is None:
                stack.pop()
                state[name] = True
                finished.append(name)
            elif successor not in state:
                state[successor] = False
                stack.append((successor, iter(self.successors[successor])))
            elif not state[successor]:
                where = function.blocks[name].terminator.location or function.location
                raise lowering_error(
                    f"the loop in '{where.function if where else function.title}' does not unroll: its trip "
                    "count must have a constant bound that the compiler can see",
                    where,
                )
        return finished[::-1]

    def _dead_blocks(self, function: Function) -> set[str]:
        """Find blocks from which every path runs into ``unreachable``: what they do never matters."""
        dead: set[str] = set()
        for name in reversed(self.order):
            following = self.successors[name]
            ends_badly = function.blocks[name].terminator.opcode == "unreachable"
            if ends_badly or (following and all(successor in dead for successor in following)):
                dead.add(name)
        return dead

    def _dominators(self) -> dict[str, str]:
        idom = {self.entry: self.entry}
        for name in self.order[1:]:
            first, *rest = self.predecessors[name]
            for other in rest:
                first = self._meet(idom, first, other)
            idom[name] = first
        return idom

    def _meet(self, idom: Mapping[str, str], a: str, b: str) -> str:
        while a != b:
            if self._index[a] > self._index[b]:
                a = idom[a]
            else:
                b = idom[b]
        return a

    def dominator(self, block: str) -> str:
        """Return the nearest other block that every path from the entry to `block` has passed."""
        return self._idom[block]

    def is_dead(self, block: str) -> bool:
        """Tell whether every path from `block` is undefined, so that what it does never matters."""
        return block in self._dead

    def reaches(self, start: str, target: str) -> bool:
        """Tell whether a path leads from `start` to `target` (a block reaches itself)."""
        return start in self._reaching(target)

    def _reaching(self, target: str) -> frozenset[str]:
        """Return the blocks from which a path leads to `target`."""
        if target in self._reaching_of:
            return self._reaching_of[target]
        seen = {target}
        work = [target]
        while work:
            for name in self.predecessors[work.pop()]:
                if name not in seen:
                    seen.add(name)
                    work.append(name)
        self._reaching_of[target] = frozenset(seen)
        return self._reaching_of[target]

    def condition(
        self,
        start: str,
        target: str,
        *,
        decisions: Callable[[str], Decisions[Term]],
        outcome: Outcome,
        logic: Logic[Term],
        elsewhere: bool | None,
    ) -> Term | bool:
        """Return the condition, given that control is at `start`, that it enters `target` on a true edge.

        Parameters
        ----------
        start, target : str
            Blocks; `start` dominates `target` and is another block.
        decisions : callable
            How a block chooses its successor.
        outcome : callable
            Verdict on each edge into `target`.
        logic : Logic
            Builder of the one-bit terms.
        elsewhere : bool or None
            Verdict for paths that avoid `target`: None where it is known that control gets there.
        """
        reaching = self._reaching(target)
        verdicts: dict[str, Term | bool | None] = {}

        def verdict(source: str, successor: str) -> Term | bool | None:
            if successor in self._dead:
                return None
            if successor == target:
                return outcome(source, successor)
            return verdicts[successor] if successor in reaching else elsewhere

        for name in reversed(self.order[self._index[start] : self._index[target]]):
            if name in reaching:
                tests, default = decisions(name)
                value = verdict(name, default)
                for test, successor in reversed(tests):
                    value = _choose(logic, test, verdict(name, successor), value)
                verdicts[name] = value
        result = verdicts[start]
        return False if result is None else result


def _choose(
    logic: Logic[Term], test: Term, if_true: Term | bool | None, if_false: Term | bool | None
) -> Term | bool | None:
    """Choose between two verdicts, taking the other where one does not matter."""
    if if_true is None:
        return if_false
    if if_false is None:
        return if_true
    return logic.choose(test, if_true, if_false)
