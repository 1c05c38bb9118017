"""A mark at hand-in: the zip for a host that runs one container for each submission, as Gradescope.

:mod:`autograder_zip` makes it, on the instructor's machine; :mod:`grade_hand_in` runs in the
container, and :mod:`hand_in_results` says what the host is told.
"""
