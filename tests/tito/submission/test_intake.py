import json
import os
from datetime import datetime

import nbformat
import pytest
from hypothesis import given
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


def notebook(grade_id: str = "double-function", **extra: object) -> dict:
    """Return a notebook as JSON-ready data."""
    cell = new_code_cell("x = 1")
    cell.metadata.nbgrader = {"grade_id": grade_id}
    return {**nbformat.from_dict(new_notebook(cells=[cell])), **extra}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "ada" / "08_optimizers"
    made.mkdir(parents=True)
    return made


def put(folder, name, content=None):
    content = notebook() if content is None else content
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def take(folder):
    file = read_file(folder, "ada", "optimizers_dev", RELEASE)
    parse(file.data, file.student, file.path.name)
    return file


def test_a_notebook_of_the_released_name_is_taken(folder):
    put(folder, "optimizers_dev.ipynb")
    submission = take(folder)
    assert submission.path.name == "optimizers_dev.ipynb"
    assert parse(submission.data, "ada", "").cells[0].source == "x = 1"
    assert submission.flags == ()


def test_another_notebook_beside_it_is_noted(folder):
    put(folder, "optimizers_dev.ipynb")
    put(folder, "old.ipynb")
    assert take(folder).flags == ("another notebook, not graded: old.ipynb",)


def test_a_renamed_notebook_is_recognized_by_its_cells(folder):
    put(folder, "homework (final).ipynb")
    put(folder, "holiday.ipynb", notebook(grade_id="something-else"))
    submission = take(folder)
    assert submission.path.name == "homework (final).ipynb"
    assert submission.flags == ("renamed: homework (final).ipynb",)


def test_the_content_decides_and_not_the_name(folder):
    put(folder, "optimizers_dev.ipynb", notebook(grade_id="something-else"))
    put(folder, "homework.ipynb")
    assert take(folder).flags == ("renamed: homework.ipynb",)
    put(folder, "homework.ipynb", notebook(grade_id="another"))
    assert take(folder).path.name == "optimizers_dev.ipynb"


def test_several_renamed_notebooks_are_refused_by_name(folder):
    put(folder, "a.ipynb")
    put(folder, "b.ipynb")
    with pytest.raises(SubmissionError, match=r"ada: .*several.*: a\.ipynb, b\.ipynb\. Keep"):
        take(folder)


def test_folder_without_notebook_is_refused(folder):
    (folder / "essay.txt").write_text("")
    with pytest.raises(SubmissionError, match=r"optimizers_dev\.ipynb is missing.*essay\.txt"):
        take(folder)


def test_renamed_broken_notebook_is_reported(folder):
    put(folder, "copy.ipynb", "{")
    with pytest.raises(SubmissionError, match=r"copy\.ipynb is not valid JSON"):
        take(folder)


def test_broken_old_format_under_another_name_is_refused(folder):
    put(folder, "my homework.ipynb", '{"nbformat": 1, "cells": [{"cell_type": "markdown"}]}')
    with pytest.raises(
        SubmissionError, match=r"my homework\.ipynb is not a notebook \(its format 1"
    ):
        take(folder)


def test_broken_json_is_refused_with_its_place(folder):
    put(folder, "optimizers_dev.ipynb", '{"cells": [\n  {"cell_type": }\n]}')
    with pytest.raises(SubmissionError, match=r"ada: .*\(line 2, column 17: .*Ask the student"):
        take(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "no format version"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 99, "cells": []}', "newer than this program"),
        ('{"nbformat": 4, "cells": [1]}', "cell 1 is not a mapping"),
        ('{"nbformat": 4, "cells": [{"source": 3}]}', "text of cell 1 is not text"),
        ('{"nbformat": 3, "worksheets": 7}', "format 3 cannot be upgraded"),
        ('{"nbformat": 1, "cells": [{"cell_type": "markdown"}]}', "format 1 cannot be upgraded"),
        ('{"nbformat": 3, "nbformat_minor": null, "worksheets": []}', "format 3 cannot be"),
        (
            '{"nbformat": 1, "cells": [{"cell_type": "code", "prompt_number": 1e999}]}',
            "format 1 cannot be upgraded",
        ),
        (f'{{"nbformat": 4, "cells": [{",".join(["{}"] * 2001)}]}}', "2001 cells are more"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_non_notebooks_are_refused_with_the_reason(content, reason):
    with pytest.raises(SubmissionError, match=f"n.ipynb is not a notebook .*{reason}"):
        parse(content.encode(), "ada", "n.ipynb")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = ["cell_type", "source", "input", "outputs", "metadata", "level", "attachments", "language"]
cell_types = st.sampled_from(["code", "markdown", "heading", "html", "raw"])
odd_cells = st.builds(
    lambda kind, odd: {"cell_type": kind, "source": "x", **odd},
    cell_types,
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
)


@given(
    version=st.sampled_from([-1, 0, 1, 2, 3, 4, True]),
    minor=st.sampled_from([0, 2, 5, None]),
    cells=st.lists(odd_cells | json_values, max_size=3),
    more=st.dictionaries(st.sampled_from(["metadata", "worksheets", "cells"]), json_values),
)
def test_arbitrary_files_parse_or_are_refused(version, minor, cells, more):
    content = {"nbformat": version, "nbformat_minor": minor, "metadata": {}, "cells": cells}
    content |= {"worksheets": [{"cells": cells}], **more}
    try:
        nb = parse(json.dumps(content).encode(), "ada", "n")
    except SubmissionError as error:
        assert "n is not a notebook (" in error.problem
    else:
        assert {c.cell_type for c in nb.cells} <= {"code", "markdown", "raw"}
        assert all(isinstance(c.source, str) for c in nb.cells)


def test_memory_error_is_not_the_students_fault(monkeypatch):
    def convert(*args):
        raise MemoryError

    monkeypatch.setattr(nbformat, "convert", convert)
    with pytest.raises(MemoryError):
        parse(b'{"nbformat": 3, "worksheets": []}', "ada", "n")


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(SubmissionError, match=r"not UTF-8 text \(byte 1\)"):
        parse(b"{\xff}", "ada", "n.ipynb")


def test_a_notebook_of_format_3_is_upgraded():
    old = nbformat.convert(nbformat.from_dict(notebook()), 3)
    assert parse(nbformat.writes(old, 3).encode(), "ada", "n.ipynb").cells[0].source == "x = 1"


def test_format_3_heading_level_is_bounded():
    heading = {"cell_type": "heading", "level": 10**18, "source": "x", "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [heading]}]}
    (cell,) = parse(json.dumps(old).encode(), "ada", "n.ipynb").cells
    assert (cell.cell_type, cell.source) == ("markdown", "###### x")


def test_metadata_of_a_wrong_type_does_not_matter():
    cells = [
        {"cell_type": "code", "source": ["a\n", "b"], "metadata": {"nbgrader": "abc", "tags": 7}},
        {"cell_type": "heading", "source": "title", "metadata": []},
        {"cell_type": "markdown", "source": "text", "attachments": [1]},
    ]
    nb = parse(json.dumps({"nbformat": 4, "cells": cells, "metadata": 1}).encode(), "ada", "n")
    assert [(c.cell_type, c.source) for c in nb.cells] == [
        ("code", "a\nb"),
        ("raw", "title"),
        ("markdown", "text"),
    ]
    nbformat.validate(nb)


def test_half_a_character_becomes_a_question_mark():
    cells = [{"cell_type": "code", "source": "x = '\ud800'\r\n"}]
    nb = parse(json.dumps({"nbformat": 4, "cells": cells}).encode(), "ada", "n")
    assert nb.cells[0].source == "x = '?'\n"


def test_a_large_file_is_refused_unread(folder, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 1000)
    put(folder, "optimizers_dev.ipynb", " " * 1001)
    with pytest.raises(SubmissionError, match="larger than"):
        take(folder)


def test_an_unreadable_file_is_refused_with_the_remedy(folder, monkeypatch):
    put(folder, "optimizers_dev.ipynb")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything
    with pytest.raises(SubmissionError, match=r"Permission denied.*chmod -R u\+rX"):
        take(folder)


def test_a_pipe_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "optimizers_dev.ipynb")
    with pytest.raises(SubmissionError, match="is not a file"):
        take(folder)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    put(tmp_path, "other.ipynb")
    (folder / "optimizers_dev.ipynb").symlink_to(tmp_path / "other.ipynb")
    with pytest.raises(SubmissionError, match="is a link to"):
        take(folder)


def test_the_timestamp_is_read(folder):
    put(folder, "optimizers_dev.ipynb")
    (folder / "timestamp.txt").write_text("2025-11-22 18:00:00.5 UTC\n")
    assert take(folder).timestamp == datetime(2025, 11, 22, 18, 0, 0, 500_000)


@pytest.mark.parametrize("text", ["yesterday-ish", "", "9" * 50, "\x00", "99999999999 0 0"])
def test_invalid_timestamp_is_flagged(folder, text):
    put(folder, "optimizers_dev.ipynb")
    (folder / "timestamp.txt").write_text(text)
    submission = take(folder)
    assert submission.timestamp is None
    assert submission.flags[0].startswith("timestamp.txt ignored, its time is not certain")


@pytest.mark.parametrize(
    "student", ["ada", "Ada Lovelace", "a.b-c_d", "[1]", "a,b", "Ωμέγα", "a'b"]
)
def test_unusual_names_are_students(student):
    assert problem_with_id(student) is None


@pytest.mark.parametrize("student", [" ada", "a\nb", "a\udcff", "x" * 129, "语" * 100])
def test_unstorable_student_ids_are_refused(student):
    assert problem_with_id(student) is not None


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    theirs = tmp_path / "ben" / "08_optimizers"
    theirs.mkdir(parents=True)
    (theirs / "optimizers_dev.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    mine = tmp_path / "ada" / "08_optimizers"
    mine.parent.mkdir()
    mine.symlink_to(theirs)
    with pytest.raises(intake.SubmissionError, match="is a link to"):
        intake.read_file(mine, "ada", "optimizers_dev", RELEASE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.ipynb", "x.ipynb"),
        ("x.IPYNB.txt", "x.IPYNB"),
        ("x.ipynb.json", "x.ipynb"),
        ("x.ipynb (1).txt", "x.ipynb"),
        *((name, "") for name in ("x.ipynb.pdf", "x.txt", "ipynb", "x.ipynb.zip")),
    ],
)
def test_notebook_name_behind_another_ending(name, expected):
    assert intake.notebook_name(name) == expected


@pytest.mark.parametrize("name", ["optimizers_dev.ipynb.txt", "optimizers_dev.ipynb.json"])
def test_a_notebook_with_another_ending_is_a_renamed_one(folder, name):
    put(folder, name)
    assert take(folder).flags == (f"renamed: {name}",)
