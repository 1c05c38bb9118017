"""Wrong solutions made from the reference by machine, and the tests that they lose points.

`python -m tests.mutation` shows the table; :mod:`~tests.mutation.operators` says what is
changed, :mod:`~tests.mutation.rules` what is free and therefore left alone, `equivalent.toml`
which mutants behave like the reference, and why.
"""
