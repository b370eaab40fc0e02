"""When the commands of a core run: an event-driven model of its sequencer and its stages.

The sequencer issues commands in order, one a cycle. A command waits at its head while another stage works on
a memory half that it needs, while a stage of its own has four commands, or, if it adds to results, while any
product is under way. Run cycles are exact (`run_cycles`); what happens around them is in one table of
latencies. The data streams are taken to be ready whenever the core is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hwgen.trainer.commands import Bias, Command, Fetch, Fill, Gemm, Load, Norm, Store, Update
from hwgen.trainer.judge import judge
from hwgen.trainer.run_cycles import STAGES, element_cycles, pass_cycles, run_cycles, stages_of
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code

__all__ = ["LATENCIES", "STAGES", "Latency", "StageTimes", "Timeline", "Times", "estimate"]

MOST_OUTSTANDING = 4


@dataclass(frozen=True)
class Latency:
    """Cycles around the run cycles of a command in one stage.

    Attributes
    ----------
    start : int
        From its issue to its first run cycle, if the stage is idle.
    between : int
        From the last run cycle of one command to the first of the next.
    end : int
        From its last run cycle until the sequencer knows that it is done.
    """

    start: int
    between: int
    end: int


LATENCIES: dict[type[Command], Latency] = {
    Fetch: Latency(4, 1, 8),
    Fill: Latency(4, 1, 16),
    Gemm: Latency(4, 1, 24),
    Store: Latency(21, 0, 4),
}
"""What stages take around run cycles; found by the counters of a simulated core.

After the last run cycle of a product follow the rows of its last tile, too, one a cycle.
"""
_PRIORITY: dict[type[Command], int] = {
    Gemm: 0,
    Fill: 1,
    Fetch: 2,
    Load: 3,
    Store: 4,
    Bias: 4,
    Update: 4,
    Norm: 4,
}
"""In which order the sequencer hears of what is done in the same cycle."""
COMMAND_LATENCY = 7
"""From the first command beat to its issue."""
ADDING_LATENCY = 6
"""What a product of integers that adds to results takes longer; one of fp32 begins with what it adds to."""
PASSING_LATENCY = 7
"""From the first beat that goes through the update unit to its first run cycle in the store stage."""
FOURS_AHEAD = 5
"""Fours of elements whose beats the fetch stage has taken, at most, when the update unit gets to them."""
FLOAT_LATENCY = 5
"""From the digits of an element of K to its last product, apart from what these two take."""


@dataclass
class StageTimes:
    """Cycle counts of one stage, as its counters have them."""

    busy: int = 0
    run: int = 0
    commands: int = 0

    @property
    def wait(self) -> int:
        """Cycles with a command in flight and no useful work."""
        return self.busy - self.run


@dataclass(frozen=True)
class Times:
    """What a list of commands takes.

    Attributes
    ----------
    cycles : int
        From the first command beat to the last status.
    stages : dict
        By the command that runs on the stage.
    """

    cycles: int
    stages: dict[type[Command], StageTimes]

    @property
    def utilisation(self) -> float:
        """Part of all cycles in which the array multiplies."""
        return self.stages[Gemm].run / self.cycles if self.cycles else 0.0


@dataclass
class _InFlight:
    done: int
    holds: int


@dataclass
class _Stage:
    """What is known of one stage at some time of issue.

    Attributes
    ----------
    free : int
        After its last run cycle.
    rows_free : int
        After the last row of the last tile that has left the array.
    floats : bool
        Whether its last command was a product of fp32 numbers.
    done : int
        When its last command is known to be done.
    flight : list
        Commands that may still be under way, in order.
    """

    free: int = 0
    rows_free: int = 0
    floats: bool = False
    done: int = 0
    flight: list[_InFlight] = field(default_factory=list)
    times: StageTimes = field(default_factory=StageTimes)


class Timeline:
    """Commands issued so far, and the times that follow.

    A store that reads results while a product adds to others gives way to it; that alone is not modelled.
    """

    def __init__(self, spec: TrainerSpec) -> None:
        self._spec = spec
        self._now = COMMAND_LATENCY - 1
        self._end = 0
        self._ends: dict[int, tuple[int, _InFlight]] = {}
        self._stages: dict[type[Command], _Stage] = {stage: _Stage() for stage in STAGES}

    def holds(self, command: Command) -> int | None:
        """Return the memory halves that a command needs; None if it is refused."""
        verdict = judge(self._spec, command)
        return int(verdict.holds) if verdict.code is Code.OK else None

    def issue_time(self, command: Command, holds: int | None) -> int:
        """Return when a command would be issued if it came next."""
        time = self._now + 1
        own = stages_of(command) if holds is not None else ()
        for kind, stage in self._stages.items():
            flight = stage.flight
            if holds and kind is not own[-1]:
                for earlier in flight:
                    if earlier.holds & holds:
                        time = max(time, earlier.done + 1)
            if flight and kind in own:
                if len(flight) >= MOST_OUTSTANDING:
                    time = max(time, flight[-MOST_OUTSTANDING].done + 1)
                if isinstance(command, Gemm) and command.accumulate:
                    time = max(time, flight[-1].done + 1)
        return time

    def issue(self, command: Command, holds: int | None) -> int:
        """Issue a command next, and return when. A refused one runs on no stage."""
        time = self._now = self.issue_time(command, holds)
        own = [self._stages[kind] for kind in stages_of(command)] if holds is not None else []
        if not own:
            self._end = max(self._end, time + 1)
            return time
        for other in self._stages.values():
            while other.flight and other.flight[0].done < time:
                other.flight.pop(0)
        run = run_cycles(self._spec, command)
        begins = self._occupy(command, time)
        stage, latency = own[-1], LATENCIES[stages_of(command)[-1]]
        done = stage.free + latency.end
        if isinstance(command, Fill) and command.transpose:
            # The last block is turned out.
            stage.free += self._spec.array.lanes
            done += self._spec.array.lanes
        elif isinstance(command, Store | Bias) and pass_cycles(self._spec, command) == _words(command):
            stage.free += 1  # a word came in every cycle, so that of the next order shows
        elif isinstance(command, Fetch) and command.container == Fetch.PATTERNS:
            stage.free += 1  # the last high halves are written
            done += 1
        elif isinstance(command, Gemm):
            done = self._drained(stage, command, begins, pass_cycles(self._spec, command)) + latency.end
        for part in own[:-1]:
            self._ends_at(part, time, part.free + LATENCIES[Fetch].end, 0, _PRIORITY[Fetch])
            part.times.run += run
        self._ends_at(stage, time, done, holds or 0, _PRIORITY[type(command)])
        stage.times.run += run
        self._end = max(self._end, stage.done + 1)
        return time

    def _occupy(self, command: Command, time: int) -> int:
        """Have a command occupy its stages for as long as it takes; return when the last of them begins."""
        *others, kind = stages_of(command)
        stage, latency = self._stages[kind], LATENCIES[kind]
        taken = pass_cycles(self._spec, command)
        updates = int(isinstance(command, Update))  # its first beat is of four weights, not of one sum
        begins = max(time + latency.start + updates, stage.free + latency.between)
        if isinstance(command, Gemm):
            begins = self._product_begins(command, stage, time)
        for other in others:
            # Beats go through to the store stage; while it is busy some of them wait in between.
            fetch, first = self._stages[other], LATENCIES[other]
            fetched = max(time + first.start, fetch.free + first.between)
            begins = max(begins, fetched + PASSING_LATENCY + 2 * updates)
            ahead = 2 + updates + FOURS_AHEAD * 4 // self._spec.update_lanes
            fetch.free = max(fetched + run_cycles(self._spec, command), begins + taken - ahead)
        stage.free = begins + taken
        return begins

    def _ends_at(self, stage: _Stage, time: int, done: int, holds: int, priority: int) -> None:
        """Note that a command that was issued at some time ends a stage's work on it."""
        flight = _InFlight(done, holds)
        done = self._heard(flight, priority)
        stage.flight.append(flight)
        stage.times.commands += 1
        stage.times.busy += done - max(time, stage.done)
        stage.done = done

    def _product_begins(self, gemm: Gemm, stage: _Stage, time: int) -> int:
        """Return the first cycle of a product in the array or the lanes; integers wait for sums of fp32."""
        latency = LATENCIES[Gemm]
        after_floats, stage.floats = stage.floats, bool(gemm.floats)
        if not gemm.floats:
            return max(time + latency.start, stage.free + (0 if after_floats else latency.between))
        planes, element = self._spec.float_planes, element_cycles(self._spec)
        lag = FLOAT_LATENCY + planes + self._spec.float_steps - element
        # Digits of the next product are asked for a cycle later, which shows if the lanes wait for digits.
        between = int(planes == element) if after_floats else latency.between + lag
        return max(time + latency.start + lag, stage.free + between)

    def _heard(self, flight: _InFlight, priority: int) -> int:
        """Return when the sequencer hears that a command is done: it hears one a cycle, by priority."""
        while (other := self._ends.get(flight.done)) is not None:
            if other[0] < priority:
                flight.done += 1
                continue
            self._ends[flight.done] = priority, flight
            priority, later = other
            later.done += 1
            self._heard(later, priority)
            return flight.done
        self._ends[flight.done] = priority, flight
        return flight.done

    def _drained(self, stage: _Stage, gemm: Gemm, begins: int, run: int) -> int:
        """Return when the last row of a product is on its way to result memory.

        A tile leaves the array row by row, and not before the one before it has.
        """
        rows = self._spec.array.rows
        tiles = gemm.tiles_m * gemm.tiles_n
        first = max(begins + run // tiles, stage.rows_free)
        stage.rows_free = max(begins + run + rows, first + tiles * rows)
        return stage.rows_free + (ADDING_LATENCY if gemm.accumulate and not gemm.floats else 0)

    def times(self) -> Times:
        """Return the times of what was issued so far."""
        return Times(self._end, {kind: stage.times for kind, stage in self._stages.items()})


def _words(command: Store | Bias) -> int:
    """Return the result words that a command reads."""
    return command.words if isinstance(command, Bias) else command.rows * command.words


def estimate(spec: TrainerSpec, commands: Iterable[Command]) -> Times:
    """Return what a list of commands takes, in order, on an idle core."""
    timeline = Timeline(spec)
    for command in commands:
        timeline.issue(command, timeline.holds(command))
    return timeline.times()
