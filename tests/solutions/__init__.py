"""Right and wrong solutions of single cells, and the tests that every one of them is marked so.

`right/CELL/*.py` and `wrong/CELL/*.py` each hold the whole source of one solution cell. The first
comment says the idea; `# expect-loss: TEST` names a graded cell that must take points for it.
"""
