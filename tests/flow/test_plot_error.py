"""The error plot: every operand's error, of approximated functions only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hwgen.cli import main
from hwgen.errors import InputError
from hwgen.flow.plot_error import plot_error
from hwgen.golden.activation import targets
from hwgen.operators import Operator, load
from hwgen.operators.approximation import approximate
from hwgen.operators.approximation.errors import ulp_errors


def unit(function: str, **keys: object) -> Operator:
    spec = {"kind": "activation", "name": "f", "function": function, "formats": {"x": "e5m3", "y": "e5m3"}}
    return load({**spec, **keys})


def test_errors_are_below_one_ulp_and_of_tables_at_most_half() -> None:
    fmt = unit("sigmoid").spec.formats.x
    goal = targets("sigmoid", fmt, fmt, fmt.default_overflow)
    for method, bound in (("polynomial", 1.0), ("table", 0.5)):
        design = approximate("sigmoid", fmt, fmt, fmt.default_overflow, method=method).design
        x, error = ulp_errors(design, goal)
        assert len(x) > 400
        assert np.all(np.diff(x) >= 0)
        assert 0.4 < np.max(np.abs(error)) < bound + 1e-9


def test_a_plot_is_written_with_the_worst_error_in_its_title(tmp_path: Path) -> None:
    path = tmp_path / "error.svg"
    plot_error(unit("tanh", method="polynomial"), path)
    assert path.read_text(encoding="utf-8").startswith("<?xml")
    assert path.stat().st_size > 5000


def test_an_exact_function_and_an_unknown_picture_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="approximates no function"):
        plot_error(unit("relu"), tmp_path / "error.svg")
    with pytest.raises(InputError, match=r"\.svg"):
        plot_error(unit("tanh"), tmp_path / "error.gif")


def test_the_command_line_draws_before_it_verifies(tmp_path: Path) -> None:
    spec, picture = tmp_path / "f.yaml", tmp_path / "f.png"
    spec.write_text("kind: activation\nname: f\nfunction: tanh\nformats: {x: e3m2, y: e3m2}\n")
    arguments = ["verify", str(spec), "--engine", "csim", "--plot", str(picture)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
