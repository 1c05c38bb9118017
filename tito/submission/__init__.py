"""What was handed in: collected, read, rebuilt on the release.

:mod:`archive` opens it and trusts nothing, :mod:`schemes` reads whose file is which from the names
that Canvas, Moodle and Gradescope make, :mod:`collect` puts the notebooks where grading looks.
:mod:`intake` reads a file, :mod:`recognize` finds the release's cells in it, and :mod:`rebuild`
puts the student's work into the release.

nbgrader's own `zip_collect` is not used: it unpacks whatever an archive holds before it looks at
it, wants the student's id in the file's name, and replaces what was collected before.
"""
