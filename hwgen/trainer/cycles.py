"""When the commands of a core run: an event-driven model of its sequencer and its stages.

The sequencer issues commands in order, one a cycle. A command waits at its head while another stage works on
a memory half that it needs, while its own stage has four commands, or, if it adds to results, while any
product is under way. Run cycles are exact (`run_cycles`); what happens around them is in one table of
latencies. The data streams are taken to be ready whenever the core is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hwgen.trainer.commands import Command, Fetch, Fill, Gemm, Store
from hwgen.trainer.judge import judge
from hwgen.trainer.run_cycles import run_cycles
from hwgen.trainer.spec import TrainerSpec
from hwgen.trainer.status import Code

__all__ = ["LATENCIES", "STAGES", "Latency", "StageTimes", "Timeline", "Times", "estimate"]

STAGES: tuple[type[Fetch | Fill | Gemm | Store], ...] = (Fetch, Fill, Gemm, Store)
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
    Fetch: Latency(4, 2, 5),
    Fill: Latency(4, 2, 9),
    Gemm: Latency(4, 2, 21),
    Store: Latency(6, 4, 4),
}
"""What a core of default size takes, before its first run cycle, between commands and after the last one."""
COMMAND_LATENCY = 4
"""From the first command beat to its issue."""


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
class Timeline:
    """Commands issued so far, and the times that follow.

    Attributes
    ----------
    spec : TrainerSpec
        The core.
    """

    spec: TrainerSpec
    _now: int = COMMAND_LATENCY - 1
    _end: int = 0
    _free: dict[type[Command], int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    _flight: dict[type[Command], list[_InFlight]] = field(default_factory=lambda: {s: [] for s in STAGES})
    _times: dict[type[Command], StageTimes] = field(default_factory=lambda: {s: StageTimes() for s in STAGES})
    _busy_until: dict[type[Command], int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    def holds(self, command: Command) -> int:
        """Return the memory halves that a command needs; none if it is refused."""
        return int(judge(self.spec, command).holds)

    def issue_time(self, command: Command, holds: int) -> int:
        """Return when a command would be issued if it came next."""
        time = self._now + 1
        stage = type(command)
        for other, flight in self._flight.items():
            if other is stage:
                if len(flight) >= MOST_OUTSTANDING:
                    time = max(time, flight[-MOST_OUTSTANDING].done + 1)
                if isinstance(command, Gemm) and command.accumulate and flight:
                    time = max(time, flight[-1].done + 1)
            else:
                for earlier in flight:
                    if earlier.holds & holds:
                        time = max(time, earlier.done + 1)
        return time

    def issue(self, command: Command, holds: int) -> int:
        """Issue a command next, and return when."""
        time = self.issue_time(command, holds)
        self._now = time
        stage = type(command)
        if stage not in LATENCIES or judge(self.spec, command).code is not Code.OK:
            self._end = max(self._end, time + 1)
            return time
        for flight in self._flight.values():
            while flight and flight[0].done < time:
                flight.pop(0)
        latency = LATENCIES[stage]
        begins = max(time + latency.start, self._free[stage] + latency.between)
        ends = begins + self._occupied(command)
        done = ends + latency.end
        self._free[stage] = ends
        self._flight[stage].append(_InFlight(done, holds))
        times = self._times[stage]
        times.commands += 1
        times.run += run_cycles(self.spec, command)
        times.busy += done - max(time, self._busy_until[stage])
        self._busy_until[stage] = done
        self._end = max(self._end, done + 1)
        return time

    def times(self) -> Times:
        """Return the times of what was issued so far."""
        return Times(self._end, self._times)

    def _occupied(self, command: Command) -> int:
        """Return how long a command keeps its stage: its run cycles, and what its other kernels add."""
        run = run_cycles(self.spec, command)
        if isinstance(command, Fill) and command.transpose:
            return run + self.spec.array.lanes  # the last block is turned out
        if isinstance(command, Gemm):
            # A tile leaves row by row while the next one is made.
            return max(run, command.tiles_m * command.tiles_n * self.spec.array.rows)
        return run


def estimate(spec: TrainerSpec, commands: Iterable[Command]) -> Times:
    """Return what a list of commands takes, in order, on an idle core."""
    timeline = Timeline(spec)
    for command in commands:
        timeline.issue(command, timeline.holds(command))
    return timeline.times()
