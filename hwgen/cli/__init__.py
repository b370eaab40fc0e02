"""The command line: each command parses, calls and prints; the work is done elsewhere.

Only the module of the command that runs is imported, and that imports what it needs when it runs.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

import click

from hwgen import __version__
from hwgen.cli.output import example
from hwgen.errors import CheckError, InputError

__all__ = ["main"]

# Nothing here has pydantic plugins, and looking for them reads the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# NumPy's BLAS starts a spinning thread for every processor, and nothing here multiplies matrices of floats.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What the imports make lives as long as the process: looking through it for garbage finds none.
gc.set_threshold(50_000)

_COMMANDS = {
    # name: module below hwgen.cli that has it, in the order of work, not of the alphabet
    "formats": "formats",
    "new": "new",
    "schema": "new",
    "emit": "emit",
    "rtl": "rtl",
    "verify": "verify",
    "prove": "prove",
    "eval": "evaluate",
    "area": "area",
    "vitis": "vitis",
    "trainer": "trainer",
}


class _Failed(click.ClickException):
    """A check failed: one message on standard error, no traceback."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", err=True)


class _Refused(_Failed):
    """The input is wrong."""

    exit_code = 2


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _Refused(str(error)) from error
        except CheckError as error:
            raise _Failed(str(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"hwgen.cli.{_COMMANDS[cmd_name]}")
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next(command for command in found if command.name == cmd_name)


_WORK = example(
    "hwgen new mac > mac.yaml           start a spec",
    "hwgen verify mac.yaml              golden model = compiled C++ = simulated RTL?",
    "hwgen emit mac.yaml -o build/mac   write the HLS project",
    "hwgen rtl build/mac                and its SystemVerilog",
)


@click.group(cls=_Group, epilog=_WORK, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hwgen")
def main() -> None:
    """Turn a YAML spec of number formats into verified arithmetic hardware.

    Exit status: 0 good, 1 a check failed, 2 the input is wrong.
    """
