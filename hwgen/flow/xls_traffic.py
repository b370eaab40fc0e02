"""What a kernel's channels ask of XLS' schedule.

A read that does not wait may say one thing in one cycle and another in the next, while its pipeline stage
waits for something else. XLS lets each send of a waiting stage go as soon as it can, so a send in the stage
of such a read could follow an answer that is withdrawn afterwards. Here all reads of such a kernel share a
stage, and every send is in a later one, where the answers are registers.

A memory answers two cycles after the request was sent: the request leaves through an output register, and
the row arrives in another (see `hwgen.flow.network_parts`). A schedule that asked for it earlier would be
right, since the kernel waits, but slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["IN_ORDER", "Traffic"]

_MEMORY_CYCLES = 2

IN_ORDER: Mapping[str, object] = {
    # Left alone, XLS sends as early as it can, and latency would not be the number of stages.
    "receives_first_sends_last": True,
}
"""Options for a kernel that only has streams."""


@dataclass(frozen=True)
class Traffic:
    """The channels of a kernel.

    Attributes
    ----------
    inputs, outputs : sequence of str
        Streams.
    memories : sequence of (str, str)
        Channels of requests and of responses.
    polls : bool
        Whether an input is read without waiting.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]
    memories: Sequence[tuple[str, str]]
    polls: bool

    @property
    def fewest_stages(self) -> int:
        """Stages below which there is no schedule."""
        return 1 + self.polls + (_MEMORY_CYCLES if self.memories else 0)

    def options(self) -> Mapping[str, object]:
        """Return options of XLS' scheduler."""
        if not self.memories:
            return IN_ORDER
        constraints = [
            f"{request}:send:{response}:recv:{_MEMORY_CYCLES}:none" for request, response in self.memories
        ]
        if self.polls:
            sends = [*self.outputs, *(request for request, _ in self.memories)]
            constraints += [f"{a}:recv:{b}:recv:0:0" for a, b in pairwise(self.inputs)]
            constraints += [f"{a}:recv:{b}:send:1:none" for a in self.inputs for b in sends]
        return {"io_constraints": constraints}
