"""``python -m hwgen.cli``, where the script ``hwgen`` is not on PATH."""

from hwgen.cli import main

main(prog_name="hwgen")
