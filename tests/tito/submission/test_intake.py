"""A student's folder: which notebook counts, what is refused and what is noted of it."""

import json
import os
from datetime import datetime

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from tests.tito.small_course import named
from tito.course.course import problem_with_id
from tito.submission import intake
from tito.submission.intake import SubmissionError, parse, read_file

#: What was released.
RELEASE = new_notebook(
    cells=[named(new_code_cell("def double(x):\n    return x"), "double-function", solution=True)]
)


def notebook(grade_id: str = "double-function") -> dict:
    """Return a notebook as JSON-ready data."""
    cell = new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": grade_id}})
    return nbformat.from_dict(new_notebook(cells=[cell]))


def parsed(**content):
    return parse(json.dumps({"nbformat": 4, **content}).encode(), "ada", "n.ipynb")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "ada" / "08_optimizers"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def take(folder):
    """Hand in files, by name: texts, or notebooks as data; read the one that counts."""

    def run(files=()):
        for name, content in dict(files).items():
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        file = read_file(folder, "ada", "optimizers_dev", RELEASE)
        parse(file.data, file.student, file.path.name)
        return file

    return run


OURS, OTHER = notebook(), notebook("something-else")
NAME, RENAMED = "optimizers_dev.ipynb", "homework (final).ipynb"


@pytest.mark.parametrize(
    ("files", "taken", "flags"),
    [
        ({NAME: OURS}, NAME, []),
        ({NAME: OURS, "old.ipynb": OURS}, NAME, ["another notebook, not graded: old.ipynb"]),
        ({RENAMED: OURS, "holiday.ipynb": OTHER}, RENAMED, [f"renamed: {RENAMED}"]),
        ({NAME: OTHER, RENAMED: OURS}, RENAMED, [f"renamed: {RENAMED}"]),
        ({NAME: OTHER, RENAMED: OTHER}, NAME, [f"another notebook, not graded: {RENAMED}"]),
        ({f"{NAME}.txt": OURS}, f"{NAME}.txt", [f"renamed: {NAME}.txt"]),
        ({"x.IPYNB (1).json": OURS}, "x.IPYNB (1).json", ["renamed: x.IPYNB (1).json"]),
    ],
)
def test_the_notebook_with_the_cells_of_the_assignment_is_taken(take, files, taken, flags):
    file = take(files)
    assert (file.path.name, list(file.flags)) == (taken, flags)
    assert parse(file.data, "ada", "").cells[0].source == "x = 1"


OLD = '{"nbformat": 1, "cells": [{"cell_type": "markdown"}]}'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a.ipynb": OURS, "b.ipynb": OURS}, r"ada: .*several.*: a\.ipynb, b\.ipynb\. Keep"),
        ({"essay.txt": ""}, r"optimizers_dev\.ipynb is missing.*essay\.txt"),
        ({"copy.ipynb": "{"}, r"copy\.ipynb is not valid JSON"),
        ({"my homework.ipynb": OLD}, r"my homework\.ipynb is not a notebook \(its format 1"),
        ({NAME: '{"cells": [\n  {"a": }\n]}'}, r"ada: .*\(line 2, column 9: .*Ask the student"),
        ({NAME: " " * (intake.MAX_BYTES + 1)}, "larger than"),
    ],
    ids=["several", "none", "renamed and broken", "renamed and old", "broken", "large"],
)
def test_a_folder_without_one_readable_notebook_is_refused(take, files, reason):
    with pytest.raises(SubmissionError, match=reason):
        take(files)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "no format version"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 99, "cells": []}', "newer than this program"),
        ('{"nbformat": 4, "cells": [1]}', "cell 1 is not a mapping"),
        ('{"nbformat": 4, "cells": [{"source": 3}]}', "text of cell 1 is not text"),
        ('{"nbformat": 3, "worksheets": 7}', "format 3 cannot be upgraded"),
        (OLD, "format 1 cannot be upgraded"),
        ('{"nbformat": 3, "nbformat_minor": null, "worksheets": []}', "format 3 cannot be"),
        (f'{{"nbformat": 4, "cells": [{",".join(["{}"] * 2001)}]}}', "2001 cells are more"),
        ("[" * 100_000, "nested too deep"),
        ("{\xff}", "text \\(byte 1\\)"),
    ],
)
def test_non_notebooks_are_refused_with_the_reason(content, reason):
    with pytest.raises(SubmissionError, match=f"n.ipynb is not (a notebook|UTF-8) .*{reason}"):
        parse(content.encode("latin-1"), "ada", "n.ipynb")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = ["cell_type", "source", "input", "outputs", "metadata", "level", "attachments", "language"]
odd_cells = st.builds(
    lambda kind, odd: {"cell_type": kind, "source": "x", **odd},
    st.sampled_from(["code", "markdown", "heading", "html", "raw"]),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
)


# On a machine that does much else.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    version=st.sampled_from([-1, 0, 1, 2, 3, 4, True]),
    minor=st.sampled_from([0, 2, 5, None]),
    cells=st.lists(odd_cells | json_values, max_size=3),
    more=st.dictionaries(st.sampled_from(["metadata", "worksheets", "cells"]), json_values),
)
def test_arbitrary_files_parse_or_are_refused(version, minor, cells, more):
    content = {"nbformat": version, "nbformat_minor": minor, "metadata": {}, "cells": cells}
    try:
        nb = parsed(**{**content, "worksheets": [{"cells": cells}], **more})
    except SubmissionError as error:
        assert "n.ipynb is not a notebook (" in error.problem
    else:
        assert {c.cell_type for c in nb.cells} <= {"code", "markdown", "raw"}
        assert all(isinstance(c.source, str) for c in nb.cells)


def test_memory_error_is_not_the_students_fault(monkeypatch):
    def convert(*args):
        raise MemoryError

    monkeypatch.setattr(nbformat, "convert", convert)
    with pytest.raises(MemoryError):
        parsed(nbformat=3, worksheets=[])


def test_a_notebook_of_format_3_is_upgraded():
    old = nbformat.convert(nbformat.from_dict(notebook()), 3)
    assert parse(nbformat.writes(old, 3).encode(), "ada", "n.ipynb").cells[0].source == "x = 1"


def test_format_3_heading_level_is_bounded():
    heading = {"cell_type": "heading", "level": 10**18, "source": "x", "metadata": {}}
    (cell,) = parsed(
        nbformat=3, nbformat_minor=0, metadata={}, worksheets=[{"cells": [heading]}]
    ).cells
    assert (cell.cell_type, cell.source) == ("markdown", "###### x")


def test_metadata_of_a_wrong_type_does_not_matter():
    cells = [
        {"cell_type": "code", "source": ["a\n", "b"], "metadata": {"nbgrader": "abc", "tags": 7}},
        {"cell_type": "heading", "source": "half \ud800\r\n", "metadata": []},
        {"cell_type": "markdown", "source": "text", "attachments": [1]},
    ]
    picture = {"a.png": {"image/png": "aGk="}}
    assert parsed(cells=[{**cells[2], "attachments": picture}]).cells[0].attachments == picture
    nb = parsed(cells=cells, metadata=1)
    found = [(c.cell_type, c.source) for c in nb.cells]
    assert found == [("code", "a\nb"), ("raw", "half ?\n"), ("markdown", "text")]
    nbformat.validate(nb)


def test_an_unreadable_file_is_refused_with_the_remedy(take, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    take({NAME: OURS})
    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything
    with pytest.raises(SubmissionError, match=r"Permission denied.*chmod -R u\+rX"):
        take()


def test_a_pipe_is_refused_and_not_waited_for(folder, take):
    os.mkfifo(folder / NAME)
    with pytest.raises(SubmissionError, match="is not a file"):
        take()


@pytest.mark.parametrize("link", ["the file", "the folder"])
def test_a_link_to_anothers_work_is_refused(folder, take, tmp_path, link):
    theirs = tmp_path / "ben" / "08_optimizers"
    theirs.mkdir(parents=True)
    (theirs / NAME).write_text(json.dumps(OURS))
    if link == "the folder":
        folder.rmdir()
        folder.symlink_to(theirs)
    else:
        (folder / NAME).symlink_to(theirs / NAME)
    with pytest.raises(SubmissionError, match="is a link to"):
        take()


def test_the_timestamp_is_read(take):
    file = take({NAME: OURS, "timestamp.txt": "2025-11-22 18:00:00.5 UTC\n"})
    assert file.timestamp == datetime(2025, 11, 22, 18, 0, 0, 500_000)


@pytest.mark.parametrize("text", ["yesterday-ish", "", "9" * 50, "\x00", "99999999999 0 0"])
def test_invalid_timestamp_is_flagged(take, text):
    file = take({NAME: OURS, "timestamp.txt": text})
    assert file.timestamp is None
    assert file.flags[0].startswith("timestamp.txt ignored, its time is not certain")


@pytest.mark.parametrize("student", [" ada", "a\nb", "a\udcff", "x" * 129, "语" * 100])
def test_unstorable_student_ids_are_refused(student):
    assert problem_with_id(student) is not None
