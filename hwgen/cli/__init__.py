"""The command line: each command parses, calls and prints; the work is done elsewhere.

Commands import what they need when they run, so that ``hwgen --help`` answers at once.
"""

from __future__ import annotations

import os
from typing import Any

import click

from hwgen import __version__
from hwgen.cli.area import area
from hwgen.cli.emit import emit
from hwgen.cli.evaluate import evaluate
from hwgen.cli.formats import formats
from hwgen.cli.new import new, schema
from hwgen.cli.output import example
from hwgen.cli.prove import prove
from hwgen.cli.rtl import rtl
from hwgen.cli.verify import verify
from hwgen.cli.vitis import vitis
from hwgen.errors import CheckError, InputError

__all__ = ["main"]

# Nothing here has pydantic plugins, and looking for them reads the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


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
        return list(self.commands)  # in the order of work, not of the alphabet


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


for _command in (formats, new, schema, emit, rtl, verify, prove, evaluate, area, vitis):
    main.add_command(_command)
