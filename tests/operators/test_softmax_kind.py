"""The softmax kind: its ports and names, what it refuses, and vectors that hold what must be tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hwgen.cli import main
from hwgen.errors import InputError
from hwgen.operators import load

SPEC = {"kind": "softmax", "formats": {"x": "bf16", "y": "fp16"}}


def test_a_softmax_is_a_stream_of_elements_with_control_and_of_results_with_flags() -> None:
    unit = load(SPEC)
    assert (unit.name, unit.interface, unit.sequential) == ("softmax64_bf16_fp16_rne", "stream", True)
    assert [(port.name, port.width) for port in unit.inputs] == [("x", 16), ("ctrl", 2)]
    assert unit.output.layout == (16, 1, 1)
    assert load(unit.spec.to_yaml()) == unit


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_length": 65}, "max_length 65 is not legal: legal: 2, 4, 8, 16, 32, 64"),
        ({"max_length": True}, "legal: 2, 4, 8, 16, 32, 64"),
        ({"n": 8}, "unknown key 'n'"),
        ({"rounding": {"mode": "sr", "bits": 8}}, "not by 'sr': legal: rne, rna, rtz, rup, rdn, rto"),
        ({"interface": "function"}, "as this softmax must: legal: stream"),
        ({"formats": {"x": "bf16", "y": "uq0.8"}, "overflow": "wrap"}, "cannot wrap: legal: saturate"),
        ({"formats": {"x": "posit8", "y": "fp16"}}, "'posit8' is of the posit family"),
    ],
)
def test_an_illegal_softmax_is_refused_with_what_is_legal(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        load({**SPEC, **changes})
    assert message in str(refusal.value)


def test_a_bad_length_in_a_file_is_a_message_with_its_line_and_exit_status_2(tmp_path: Path) -> None:
    spec = tmp_path / "long.yaml"
    spec.write_text("kind: softmax\nformats: {x: bf16, y: bf16}\nmax_length: 100\n")
    result = CliRunner().invoke(main, ["emit", str(spec), "-o", str(tmp_path / "p")])
    assert result.exit_code == 2
    assert f"{spec}:3: " in result.stderr
    assert not (tmp_path / "p").exists()


def test_vectors_have_frames_of_every_kind() -> None:
    unit = load({**SPEC, "max_length": 8})
    x, ctrl = unit.vectors(5000, seed=1)
    lengths = np.diff(np.flatnonzero(ctrl >> 1), prepend=-1)
    assert {1, 2, 8, 9} <= set(lengths.tolist())
    assert lengths.max() <= 16
    assert ((ctrl & 1) & (np.roll(ctrl, 1) < 2)).any()  # cleared in the middle
    values = unit.spec.formats.x.decode(x)  # type: ignore[attr-defined]
    assert np.isnan(values).any()
    assert np.isinf(values).any()
