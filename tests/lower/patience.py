"""Runs work in a child process with a time limit: XLS cannot be interrupted any other way."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

__all__ = ["Impatient", "with_patience"]

Result = TypeVar("Result")
Report = Callable[[str], None]

_CONTEXT = multiprocessing.get_context("fork")


class Impatient(Exception):  # noqa: N818  (it is what the caller is)
    """The work took too long or its process died; the message says which, and in what step."""


def with_patience(work: Callable[[Report], Result], *, seconds: float) -> Result:
    """Return ``work(report)`` from a child process that gets so many seconds a step; `report` names the step.

    Raises
    ------
    Impatient
        If a step takes longer, or the child ends without a result.
    """
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    child = _CONTEXT.Process(target=_answer, args=(work, sender))
    child.start()
    sender.close()
    step = "start"
    try:
        while receiver.poll(seconds):
            kind, content = receiver.recv()
            if kind == "result":
                child.join()
                return content
            step = content
        raise Impatient(f"no end of {step} within {seconds:.0f} s")
    except EOFError:
        raise Impatient(f"the process died in {step}") from None
    finally:
        child.kill()
        child.join()


def _answer(work: Callable[[Report], object], sender: Connection) -> None:
    sender.send(("result", work(lambda step: sender.send(("step", step)))))
