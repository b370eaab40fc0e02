"""Precision policies, one in each file, behind one interface; `parse_policy` makes them from their names."""

from __future__ import annotations

import re

from hwgen.errors import InputError
from hwgen.train.policies.base import FP32, EpochStatistics, Policy, Precision
from hwgen.train.policies.muppet import Muppet, MuppetRule, diversity
from hwgen.train.policies.schedule import Schedule
from hwgen.train.policies.static import Static

__all__ = [
    "FP32",
    "EpochStatistics",
    "Muppet",
    "MuppetRule",
    "Policy",
    "Precision",
    "Schedule",
    "Static",
    "diversity",
    "parse_policy",
]


def parse_policy(text: str, rule: MuppetRule | None = None) -> Policy:
    """Return the policy that a word such as ``muppet``, ``static:8`` or ``schedule:8*3,16,fp32*2`` names.

    Parameters
    ----------
    text : str
        ``muppet``; ``static:`` and a word length or ``fp32``; or ``schedule:`` and several of these, with a
        number of epochs behind each, if it is not one.
    rule : MuppetRule, optional
        Parameters of MuPPET.

    Raises
    ------
    InputError
        If it names none.
    """
    if text == "muppet":
        return Muppet(rule)
    name, _, rest = text.partition(":")
    parts = [_PART.fullmatch(part) for part in rest.split(",")]
    if all(parts) and (name == "schedule" or (name == "static" and rest.isalnum())):
        read = [(FP32 if m[1] == "fp32" else int(m[1]), int(m[2] or 1)) for m in parts if m]
        if all(width is FP32 or 2 <= width <= 16 for width, _ in read):
            return Schedule(read) if name == "schedule" else Static(read[0][0])
    raise InputError(
        f"unknown policy {text!r}: legal: muppet, static:fp32, static:2 to static:16, "
        "or a schedule of such words and epochs, as schedule:8*3,16,fp32*2"
    )


_PART = re.compile(r"(fp32|[1-9][0-9]?)(?:\*([1-9][0-9]{0,5}))?", re.ASCII)
