"""Grading of a class with nbgrader's own converters, gradebook and preprocessors.

A submission is read (:mod:`intake`), rebuilt on the release (:mod:`rebuild`), run in a kernel of
its own (:mod:`execute`, :mod:`kernel`), judged (:mod:`verdicts`) and noted (:mod:`records`).
:mod:`pipeline` does this for a class; :mod:`scores` and :mod:`feedback` show what came of it.
"""
