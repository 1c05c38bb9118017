"""Take in what learning platforms give: an archive or a folder of a class's submissions.

:mod:`archive` opens it and trusts nothing, :mod:`schemes` reads whose file is which from the names
that Canvas, Moodle and Gradescope make, :mod:`collect` puts the notebooks where grading looks.

nbgrader's own `zip_collect` is not used: it unpacks whatever an archive holds before it looks at
it, wants the student's id in the file's name, and replaces what was collected before.
"""
