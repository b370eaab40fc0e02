"""The Verilated engine: latencies, handshakes with stalls, and designs that break the rules."""

import numpy as np
import pytest
from hand_made_project import ADDER_PORTS, adder_function, adder_operands, adder_stream, write_project

from hwgen.errors import CheckError, InputError, ToolError
from hwgen.flow.verilated import load_many, load_rtl

STREAMS = {
    "good": adder_stream(),
    "drops_valid": adder_stream(valid="full & cycle[0]"),
    "changes_data": adder_stream(extra="if (full & !y_TREADY & cycle[1]) sum <= sum + 1;"),
    "deadlocks": adder_stream(go="a_TVALID & b_TVALID & (!full | y_TREADY) & !(&cycle) & !stuck").replace(
        "reg full;", "reg full; reg stuck = 0; always_ff @(posedge ap_clk) if (&cycle) stuck <= 1;"
    ),
    "repeats": adder_stream(extra="if (!full & !go) full <= (cycle[3:0] == 9);"),
    "ignores_b": adder_stream(go="a_TVALID & (!full | y_TREADY)").replace("b_TREADY = go", "b_TREADY = 1'b0"),
    "stops": adder_stream(extra='if (cycle == 100) $fatal(1, "the sky is falling");'),
}
FUNCTIONS = {"comb": (0, 0), "one": (1, 1), "four": (4, 4), "claims_three": (4, 3)}


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """All designs, of equal names, in one library."""
    root = tmp_path_factory.mktemp("projects")
    folders = {}
    for key, verilog in STREAMS.items():
        folders[key] = write_project(
            root / key, name="adder", interface="stream", inputs=ADDER_PORTS, output=9, verilog=verilog
        )
    for key, (actual, claimed) in FUNCTIONS.items():
        folders[key] = write_project(
            root / key,
            name="adder",
            interface="function",
            inputs=ADDER_PORTS,
            output=9,
            verilog=adder_function(actual),
            stages=actual,
            latency=claimed,
        )
    return dict(zip(folders, load_many(list(folders.values())), strict=True))


@pytest.mark.parametrize("design", ["comb", "one", "four"])
def test_a_function_answers_one_vector_per_clock_after_its_latency(engines, design):
    a, b, total = adder_operands()
    run = engines[design].run(a, b)
    assert np.array_equal(run.result, total)
    assert run.cycles == len(a) + FUNCTIONS[design][1]


def test_a_wrong_latency_in_the_record_gives_wrong_results(engines):
    a, b, total = adder_operands()
    assert (engines["claims_three"](a, b) != total).any()


def test_operands_are_broadcast_and_the_result_has_their_shape(engines):
    result = engines["comb"](np.arange(12, dtype=np.uint8).reshape(3, 4), 5)
    assert result.dtype == np.uint16
    assert np.array_equal(result, np.arange(12).reshape(3, 4) + 5)


def test_no_vectors_give_no_results(engines):
    assert engines["good"](np.zeros(0, np.uint8), np.zeros(0, np.uint8)).shape == (0,)


def test_a_stream_without_stalls_takes_a_vector_in_every_cycle(engines):
    a, b, total = adder_operands()
    run = engines["good"].run(a, b)
    assert np.array_equal(run.result, total)
    assert run.cycles == len(a) + 1
    assert run.withheld == run.refused == 0


def test_stalls_happen_at_both_ends_and_change_no_result(engines):
    a, b, total = adder_operands()
    run = engines["good"].run(a, b, stall=0.5, seed=3)
    assert np.array_equal(run.result, total)
    assert run.withheld > 100
    assert run.refused > 100
    assert run.cycles > 2 * len(a)


def test_stalls_are_the_same_for_the_same_seed_only(engines):
    a, b, _ = adder_operands()
    first, again, other = (engines["good"].run(a, b, stall=0.5, seed=seed) for seed in (1, 1, 2))
    assert first.cycles == again.cycles != other.cycles


@pytest.mark.parametrize(
    ("design", "complaint"),
    [
        ("drops_valid", "TVALID of the result fell"),
        ("changes_data", "TDATA of the result changed"),
        ("deadlocks", "no word moved for 10000 cycles"),
        ("repeats", "more results than the"),
        ("ignores_b", "with words unread at b"),
        ("stops", "Verilog"),
    ],
)
def test_a_design_that_breaks_the_rules_is_named_and_does_not_end_python(engines, design, complaint):
    a, b, _ = adder_operands()
    with pytest.raises(CheckError, match=complaint):
        engines[design].run(a, b, stall=0.5, seed=1)


def test_a_certain_stall_is_refused(engines):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        engines["good"].run(1, 2, stall=1.0)


def test_a_project_without_rtl_says_how_to_get_it(tmp_path):
    folder = write_project(
        tmp_path / "p", name="adder", interface="function", inputs=ADDER_PORTS, output=9, verilog=""
    )
    (folder / "rtl" / "adder.json").unlink()
    with pytest.raises(InputError, match="run hwgen rtl first"):
        load_rtl(folder)


def test_rtl_that_verilator_rejects_is_a_tool_error_with_its_message(tmp_path):
    folder = write_project(
        tmp_path / "p",
        name="adder",
        interface="function",
        inputs=ADDER_PORTS,
        output=9,
        verilog="module adder(;\n",
    )
    with pytest.raises(ToolError, match="syntax error"):
        load_rtl(folder)
