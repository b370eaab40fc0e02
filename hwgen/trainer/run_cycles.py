"""How many cycles of useful work a command is: exact, and what its status reports.

A fetch works in every cycle that takes a beat of its frame, a fill in every cycle that writes the digits of
16 elements of one operand row, a product in every cycle of the array, a store in every cycle that sends
a beat.
"""

from __future__ import annotations

from hwgen.trainer.commands import Command, Fetch, Fill, Gemm, Store
from hwgen.trainer.spec import TrainerSpec

__all__ = ["run_cycles"]


def run_cycles(spec: TrainerSpec, command: Command) -> int:
    """Return the run cycles of a command that ends well; 0 for one that no stage runs."""
    match command:
        case Fetch():
            return command.words * (command.container + 1)
        case Fill():
            lanes = spec.array.lanes
            chunks = -(-command.n_b * command.n_y * command.n_x // lanes)
            return chunks * command.n_ky * command.n_kx * command.n_g * spec.planes(command.width) * lanes
        case Gemm():
            pairs = spec.planes(command.width_a) * spec.planes(command.width_b)
            return command.tiles_m * command.tiles_n * command.kgs * pairs
        case Store():
            return command.rows * command.words * spec.array.cols // 2
        case _:
            return 0
