"""State that is used in turn is found, and only there; a step may then take several clocks at II = 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.emit import emit
from hwgen.errors import InputError
from hwgen.flow.rtl import generate_rtl
from hwgen.flow.verilated import load_many
from hwgen.flow.xls_ir import optimise
from hwgen.flow.xls_rings import predicate_rings, waiting_elements
from hwgen.operators import load

IR = """package p

chan x(bits[8], id=0, kind=streaming, ops=receive_only, flow_control=ready_valid)
chan y(bits[8], id=1, kind=streaming, ops=send_only, flow_control=ready_valid)

top proc p(turn: bits[1], a: bits[8], b: bits[8], init={0, 0, 0}) {
  start: token = after_all()
  turn_old: bits[1] = state_read(state_element=turn)
  a_old: bits[8] = state_read(state_element=a)
  b_old: bits[8] = state_read(state_element=b)
  read: (token, bits[8]) = receive(start, channel=x)
  read_token: token = tuple_index(read, index=0)
  data: bits[8] = tuple_index(read, index=1)
  old: bits[8] = sel(turn_old, cases=[a_old, b_old])
  new: bits[8] = umul(old, data)
  one: bits[1] = literal(value=1)
  zero: bits[1] = literal(value=0)
  is_a: bits[1] = eq(turn_old, zero)
  a_new: bits[8] = sel(is_a, cases=[a_old, new])
  b_new: bits[8] = sel(turn_old, cases=[b_old, new])
  sent: token = send(read_token, SENT, channel=y)
  flipped: bits[1] = not(turn_old)
  a_next: () = next_value(param=a_old, value=a_new)
  b_next: () = next_value(param=b_old, value=b_new)
  turn_next: () = next_value(param=turn_old, value=flipped)
}
"""


def rings_of(ir: str) -> list[tuple[str, ...]]:
    text, rings = predicate_rings(optimise(ir, top="p"))
    again = optimise(text, top="p")  # still a package that XLS accepts
    assert again.count("state_read") == 3
    assert again.count("predicate=") >= 4 * len(rings)
    return [ring.elements for ring in rings]


def test_two_states_that_a_counter_selects_are_a_ring() -> None:
    assert rings_of(IR.replace("SENT", "new")) == [("a", "b")]


def test_a_state_that_is_also_used_out_of_turn_is_none() -> None:
    assert rings_of(IR.replace("SENT", "b_old")) == []


def test_a_state_that_is_also_written_out_of_turn_is_none() -> None:
    wrong = IR.replace("SENT", "new").replace("sel(is_a, cases=[a_old", "sel(one, cases=[a_old")
    assert rings_of(wrong) == []
    swapped = IR.replace("SENT", "new").replace("eq(turn_old, zero)", "eq(turn_old, one)")
    assert rings_of(swapped) == []


def test_an_interleaved_sum_takes_a_term_every_clock_though_a_step_takes_several(tmp_path: Path) -> None:
    common = {"kind": "accumulator", "formats": {"x": "e5m2", "y": "e6m5"}}
    operator = load({**common, "name": "ring", "interleave": 4, "target": {"clock_ps": 2500}})
    project = emit(operator, tmp_path / "ring")
    record = generate_rtl(project)
    in_turn = waiting_elements(record.path.read_text())
    assert len(in_turn) == 4, "each partial sum says whether its step is done, and nothing else waits"
    terms = 2000
    operands = operator.vectors(terms, seed=3)
    want = operator.golden(*operands)
    simulated = load_many([project])[0]
    free = simulated.run(*operands, results=len(want))
    np.testing.assert_array_equal(free.result, want)
    # A term a clock, then the last one's way through the pipeline.
    assert free.cycles == terms + record.stages
    paused = simulated.run(*operands, results=len(want), stall=0.4, seed=1)
    np.testing.assert_array_equal(paused.result, want)
    assert min(paused.withheld, paused.refused) > 0


def test_a_clock_that_a_step_cannot_meet_is_refused_with_the_interleave_that_would(tmp_path: Path) -> None:
    spec = {"kind": "accumulator", "name": "slow", "formats": {"x": "e5m2", "y": "e6m5"}}
    project = emit(load(spec), tmp_path / "slow")
    with pytest.raises(InputError, match=r"a step of its state takes \d+ clocks.*an interleave of at least"):
        generate_rtl(project, clock_ps=2500)
