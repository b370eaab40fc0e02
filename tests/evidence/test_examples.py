"""Every example passes ``hwgen verify``, and there is one of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.flow.verify import verify
from hwgen.operators import kind_names, load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def test_every_kind_has_an_example() -> None:
    assert {load(path).kind for path in EXAMPLES} == set(kind_names())


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_the_same_in_golden_cpp_and_rtl(path: Path) -> None:
    report = verify(path, vectors=20_000)
    assert report.passed, "\n".join(map(str, report.mismatches[:3])) or str(report.engines)
