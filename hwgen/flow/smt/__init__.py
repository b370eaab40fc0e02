"""The theorem that an operator's circuit equals the solver's IEEE arithmetic, as SMT-LIB text.

`theorem` states it, `ieee` and `fixed` hold the two halves of the specification, `circuit` brings in the
circuit, `solvers` decides. The specification shares no code with the golden model or the C++ headers.
"""
