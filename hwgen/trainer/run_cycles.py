"""How many cycles of useful work a command is: exact, and what its status reports.

A fetch or a load works in every cycle that takes a beat of its frame, a fill in every cycle that writes the
digits of 16 elements of one operand row, a product in every cycle of the array or the float lanes, a store in
every cycle that sends a beat or measures a word, a bias in every cycle that copies a word, a norm in a cycle
for each four elements, which is a beat of sums. An update is the work of two stages, as is a norm of sums:
the fetch stage takes as many beats as the store stage sends.
"""

from __future__ import annotations

from hwgen.trainer.commands import Bias, Command, Fetch, Fill, Gemm, Load, Norm, Store, Update
from hwgen.trainer.layout import BEAT_BYTES
from hwgen.trainer.spec import TrainerSpec

__all__ = ["STAGES", "element_cycles", "pass_cycles", "run_cycles", "stages_of"]

STAGES: tuple[type[Fetch | Fill | Gemm | Store], ...] = (Fetch, Fill, Gemm, Store)
"""The stages in the order of their numbers, each by the command that it is named after."""
_STAGES_OF: dict[type[Command], tuple[type[Command], ...]] = {
    **{stage: (stage,) for stage in STAGES},
    Load: (Fetch,),
    Bias: (Store,),
    Update: (Fetch, Store),
    Norm: (Store,),
}


def stages_of(command: Command) -> tuple[type[Command], ...]:
    """Return the stages that run a command; the last of them works on its memory halves.

    A command of the fetch stage takes a frame.
    """
    if isinstance(command, Norm) and command.sums:
        return _STAGES_OF[Update]
    return _STAGES_OF.get(type(command), ())


def run_cycles(spec: TrainerSpec, command: Command) -> int:
    """Return the run cycles of a command that ends well; 0 for one that no stage runs."""
    match command:
        case Fetch():
            return command.words << (1 if command.container == Fetch.PATTERNS else command.container)
        case Fill():
            lanes = spec.array.lanes
            chunks = -(-command.n_b * command.n_y * command.n_x // lanes)
            planes = spec.planes(command.width, command.floats)
            return chunks * command.n_ky * command.n_kx * command.n_g * planes * lanes
        case Gemm():
            groups = command.tiles_m * command.tiles_n * command.kgs
            if command.floats:
                return groups * spec.array.lanes * spec.float_steps
            return groups * spec.planes(command.width_a) * spec.planes(command.width_b)
        case Store():
            words = command.rows * command.words
            if command.mode == Store.MEASURE:
                return words
            bytes_a_result = 8 if command.mode == Store.RAW else 1 << command.size
            return -(-words * spec.array.cols * bytes_a_result // BEAT_BYTES)
        case Load():
            return command.rows * command.words * spec.array.cols * 8 // BEAT_BYTES
        case Bias():
            return command.words
        case Update() | Norm():
            beats = command.rows * command.words * spec.array.cols * 4 // BEAT_BYTES
            return 2 * beats if isinstance(command, Update) else beats
        case _:
            return 0


def element_cycles(spec: TrainerSpec) -> int:
    """Return the cycles in which the sums of a tile get one product each: the lanes', or the digits'."""
    return max(spec.float_steps, spec.float_planes)


def pass_cycles(spec: TrainerSpec, command: Command) -> int:
    """Return the cycles that a command occupies its stage, run cycles among them.

    A store takes a result word a cycle, however little is left of it; an update takes a cycle for every
    `update_lanes` elements, and so does a norm, and one more to add its two sums. Float lanes wait where the
    digits of their operands come more slowly than they work.
    """
    run = run_cycles(spec, command)
    match command:
        case Store():
            return max(run, command.rows * command.words)
        case Update():
            return run * 2 // spec.update_lanes
        case Norm():
            return run * 4 // spec.update_lanes + 1
        case Gemm() if command.floats:
            return run // spec.float_steps * element_cycles(spec)
        case _:
            return run
