"""docs/trainer.md shows the commands as they are."""

from __future__ import annotations

from pathlib import Path

from hwgen.trainer.describe import code_table, command_table

PAGE = Path(__file__).parents[2] / "docs" / "trainer.md"


def test_the_documented_command_table_is_that_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition("<!-- commands -->\n")[2].partition("<!-- /commands -->")[0]
    assert shown == f"{command_table()}\n{code_table()}"
