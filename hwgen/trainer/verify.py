"""Whether a core's RTL does what golden says: the regression that every emitted core brings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hwgen.flow.simulate import BenchRun, simulate
from hwgen.trainer.builds import project_with_rtl

__all__ = ["verify_core"]


def verify_core(
    spec_or_dir: Path, *, seed: int = 1, progress: Callable[[str], None] = lambda step: None
) -> tuple[str, BenchRun]:
    """Run the cocotb regression on a core's RTL, its streams pausing at random.

    Parameters
    ----------
    spec_or_dir : Path
        A spec, or an emitted core, whose RTL is taken as it is, and made if there is none.
    seed : int
        Of the pauses.
    progress : callable
        Told what is being done.

    Returns
    -------
    The core's name, and what was found; golden's answers are in the project.

    Raises
    ------
    InputError
        If the spec is not legal, or the folder is no core's.
    ToolError
        If a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        spec, project = project_with_rtl(spec_or_dir, Path(folder), progress)
        progress("simulating")
        return spec.name, simulate(project, seed=seed)
