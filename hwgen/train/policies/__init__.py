"""Precision policies, one in each file, behind one interface; `parse_policy` makes them from their names."""

from __future__ import annotations

from hwgen.errors import InputError
from hwgen.train.policies.base import FP32, EpochStatistics, Policy, Precision
from hwgen.train.policies.muppet import Muppet, MuppetRule, diversity
from hwgen.train.policies.static import Static

__all__ = [
    "FP32",
    "EpochStatistics",
    "Muppet",
    "MuppetRule",
    "Policy",
    "Precision",
    "Static",
    "diversity",
    "parse_policy",
]


def parse_policy(text: str, rule: MuppetRule | None = None) -> Policy:
    """Return the policy that a word such as ``muppet`` or ``static:8`` names.

    Parameters
    ----------
    text : str
        ``muppet``, or ``static:`` and a word length or ``fp32``.
    rule : MuppetRule, optional
        Parameters of MuPPET.

    Raises
    ------
    InputError
        If it names none.
    """
    if text == "muppet":
        return Muppet(rule)
    name, _, width = text.partition(":")
    if name == "static" and width == "fp32":
        return Static(FP32)
    if name == "static" and width.isascii() and width.isdigit() and 2 <= int(width) <= 16:
        return Static(int(width))
    raise InputError(f"unknown policy {text!r}: legal: muppet, static:fp32, static:2 to static:16")
