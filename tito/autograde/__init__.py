"""How a class is graded.

:mod:`grade_submission` is the spine: one submission from bytes to a result, in five functions, with
:mod:`run_cells` for the third. :mod:`grade_class` does this for a class: a :mod:`driver` hands out
jobs to workers (:mod:`worker`, :mod:`executors`, :mod:`cluster`) and tries again what was lost
(:mod:`retries`). :mod:`nbgrader_adapter` lets nbgrader's own command do the same.
"""
