"""Policies against diversities made by hand."""

from __future__ import annotations

import inspect
import re
from math import exp, sqrt
from types import ModuleType

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.train.policies import (
    FP32,
    EpochStatistics,
    Muppet,
    MuppetRule,
    Policy,
    Precision,
    Static,
    diversity,
    parse_policy,
)
from hwgen.train.policies import muppet as muppet_module
from hwgen.train.step import Gradient


def gradients_of(wanted: float) -> list[np.ndarray]:
    """Return three gradients of two weights whose diversity is `wanted`: one along, the rest across.

    Of (a, b), (a, -b), (a, 0) the norms sum up to 3 a^2 + 2 b^2, and the norm of the sum is 9 a^2.
    """
    b = sqrt((9 * wanted - 3) / 2)
    return [np.array([1.0, b]), np.array([1.0, -b]), np.array([1.0, 0.0])]


def see(policy: Muppet, epoch: int, *gradients: np.ndarray) -> None:
    """Let a policy see what a step with these gradients tells it."""
    before = policy.sums or tuple(map(np.zeros_like, gradients))
    policy.after_epoch(EpochStatistics(epoch, tuple(map(Gradient.of, gradients, before))))


def diversity_of(windows: list[tuple[np.ndarray, ...]]) -> float:
    """Return the diversity of gradients, of each epoch those of each tensor."""
    tensors = [[np.ravel(gradient) for gradient in kept] for kept in zip(*windows, strict=True)]
    norms = [sum(float(g @ g) for g in kept) for kept in tensors]
    return diversity(norms, [float(sum(kept) @ sum(kept)) for kept in tensors])


def widths(policy: Muppet, diversities: list[float], start: int = 0) -> list[int | None]:
    """Return the word length after each window of three epochs."""
    found = []
    epoch = start
    for wanted in diversities:
        for gradient in gradients_of(wanted):
            see(policy, epoch, gradient)
            epoch += 1
        assert policy.precision is not None
        found.append(policy.precision.width)
    return found


def test_diversity_is_the_mean_over_tensors() -> None:
    same = [(np.array([[3.0, 4.0]]),)] * 3
    assert diversity_of(same) == pytest.approx(1 / 3)
    orthogonal = [(np.array([1.0, 0.0]),), (np.array([0.0, 2.0]),)]
    assert diversity_of(orthogonal) == pytest.approx(1.0)
    both = [(np.array([1.0, 0.0]), np.array([2.0])), (np.array([0.0, 2.0]), np.array([2.0]))]
    assert diversity_of(both) == pytest.approx((1.0 + 0.5) / 2)
    assert diversity_of([(np.zeros(2), np.ones(1)), (np.zeros(2), np.ones(1))]) == pytest.approx(0.5)
    assert diversity_of([(np.zeros(2),)]) == 0
    assert diversity_of([(np.ones(1),), (-np.ones(1),)]) == float("inf")
    for wanted in (0.5, 1.0, 7.25):
        assert diversity_of([(gradient,) for gradient in gradients_of(wanted)]) == pytest.approx(wanted)


def check_switches(policy_class: type[Muppet]) -> None:
    # Windows end with epochs 2, 5, 8, 11, ...: T = 2.23, 1.91, 1.67, 1.50, 1.37.
    rule = MuppetRule()
    assert [rule.threshold(e) for e in (2, 5)] == [1 + 1.5 * exp(-0.2), 1 + 1.5 * exp(-0.5)]
    assert widths(policy_class(), [4, 2.0, 2.0]) == [8, 8, 12]  # twice 4 / 2 > T
    assert widths(policy_class(), [4, 2.2, 2.2]) == [8, 8, 8]  # 1.82 < 1.91, but > 1.67
    assert widths(policy_class(), [4, 2.2, 2.2, 2.2]) == [8, 8, 8, 12]
    # A new greatest is no violation, and the next ones fall from there; the count stays.
    assert widths(policy_class(), [1, 0.5, 4, 2.2]) == [8, 8, 8, 12]
    # After a switch the greatest starts again.
    assert widths(policy_class(), [9, 1, 1, 1, 1, 1]) == [8, 8, 12, 12, 12, 12]
    assert widths(policy_class(), [9, 1, 1, 4, 1, 1, 4, 1, 1, 4, 1, 1]) == [
        *(8, 8, 12),
        *(12, 12, 14),
        *(14, 14, 16),
        *(16, 16, FP32),
    ]
    # The threshold goes by the global epoch.
    assert widths(policy_class(), [4, 3.5, 3.5], start=60) == [8, 8, 12]
    assert widths(policy_class(MuppetRule(violations=1)), [4, 2.0]) == [8, 12]
    assert widths(policy_class(MuppetRule(violations=1)), [1, 1.8, 1.0]) == [8, 8, 12]


def test_two_violations_take_the_next_level() -> None:
    check_switches(Muppet)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if now >= self._greatest:", "if now > 2 * self._greatest:"),
        ("> self.rule.threshold", "> 1.5 * self.rule.threshold"),
        ("self._greatest, self._violations = 0.0, 0", "self._violations = 0"),
        ("self._greatest, self._violations = 0.0, 0", "self._greatest = 0.0"),
        ("self._norms, self._sums = [], ()", "self._norms = []"),
        ("self._norms, self._sums = [], ()", "self._sums = ()"),
        ("[kept + norm for kept", "[norm for kept"),
        ("norm / norm_of_sum if", "norm_of_sum / norm if"),
        ("threshold(statistics.epoch)", "threshold(0)"),
    ],
)
def test_planted_bugs_in_the_rule_are_found(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(muppet_module)
    assert source.count(old) == 1
    planted = ModuleType("planted")
    monkeypatch.setitem(__import__("sys").modules, "planted", planted)
    planted.__dict__["__name__"] = "planted"
    exec(compile(source.replace(old, new), "planted", "exec"), planted.__dict__)
    with pytest.raises(AssertionError):
        check_switches(planted.Muppet)


def test_full_precision_divides_the_learning_rate_and_ends() -> None:
    policy = Muppet(MuppetRule(levels=(), full_epochs=5, full_step=2))
    rates = []
    while (precision := policy.precision) is not None:
        assert precision.width is FP32
        rates.append(precision.rate)
        policy.after_epoch(EpochStatistics(len(rates), (np.ones(1),)))
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_a_policy_goes_on_from_its_state() -> None:
    whole, first = Muppet(), Muppet()
    epochs = [gradient for wanted in (4, 2, 2, 5, 1, 1, 1) for gradient in gradients_of(wanted)]
    for cut in range(len(epochs)):
        first, rest = Muppet(), Muppet()
        whole = Muppet()
        for epoch, gradient in enumerate(epochs):
            see(whole, epoch, gradient)
            see(first if epoch < cut else rest, epoch, gradient)
            if epoch + 1 == cut:
                rest.restore(first.state())
        assert rest.precision == whole.precision
        assert rest.precision == Precision(14)


def test_gradients_that_are_changed_later_are_kept_as_they_were() -> None:
    policy, sums = Muppet(), np.array([1.0, 2.0])
    policy.after_epoch(EpochStatistics(0, (Gradient(5.0, sums, 5.0),)))
    sums[:] = 0
    assert policy.sums[0].tolist() == [1.0, 2.0]


def test_a_schedule_goes_through_its_word_lengths_and_ends() -> None:
    def widths(policy: Policy, epochs: int) -> list[object]:
        found: list[object] = []
        for epoch in range(epochs):
            found.append(policy.precision and policy.precision.name)
            policy.after_epoch(EpochStatistics(epoch, ()))
        return found

    policy = parse_policy("schedule:8*2,fp32,4*1,16*3")
    assert policy.name == "schedule:8*2,fp32,4,16*3"
    assert widths(policy, 3) == ["8", "8", "fp32"]
    rest = parse_policy(policy.name)
    rest.restore(policy.state())
    assert widths(rest, 5) == ["4", "16", "16", "16", None]


def test_policies_have_names() -> None:
    assert parse_policy("static:8").precision == Precision(8)
    assert parse_policy("static:fp32").precision == Precision(FP32)
    muppet = parse_policy("muppet", MuppetRule(levels=(4,)))
    assert isinstance(muppet, Muppet)
    assert muppet.precision == Precision(4)
    assert Static(7).name == "static:7"
    assert "levels=(4,)" in muppet.name
    for bad in (
        *("static", "static:1", "static:17", "static:8.5", "static:8*2", "static:8,8", "mupet", "muppet:3"),
        *("schedule", "schedule:", "schedule:8*0", "schedule:8,", "schedule:1*2", "schedule:8x3"),
    ):
        with pytest.raises(
            InputError, match=f"unknown policy '{re.escape(bad)}': legal: muppet, static:fp32"
        ):
            parse_policy(bad)
    with pytest.raises(InputError, match="resolution 0 is not legal: legal: 1 or more"):
        MuppetRule(resolution=0)
