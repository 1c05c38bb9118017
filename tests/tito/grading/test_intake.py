import json
import os
from datetime import datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tinytorch.tito.grading import intake
from tinytorch.tito.grading.intake import SubmissionError, parse, receive

KNOWN = {"double-function", "test-double"}


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
    return receive(folder, "ada", "optimizers_dev", KNOWN)


def test_a_notebook_of_the_released_name_is_taken(folder):
    put(folder, "optimizers_dev.ipynb")
    submission = take(folder)
    assert submission.path.name == "optimizers_dev.ipynb"
    assert submission.notebook.cells[0].source == "x = 1"
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


def test_several_renamed_notebooks_are_refused_by_name(folder):
    put(folder, "a.ipynb")
    put(folder, "b.ipynb")
    with pytest.raises(SubmissionError, match=r"ada: .*several.*: a\.ipynb, b\.ipynb\. Keep"):
        take(folder)


def test_a_folder_without_a_notebook_is_refused_with_what_it_holds(folder):
    (folder / "essay.txt").write_text("")
    with pytest.raises(SubmissionError, match=r"optimizers_dev\.ipynb is missing.*essay\.txt"):
        take(folder)


def test_a_renamed_and_broken_notebook_says_that_it_is_broken(folder):
    put(folder, "copy.ipynb", "{")
    with pytest.raises(SubmissionError, match=r"copy\.ipynb is not valid JSON"):
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
        (f'{{"nbformat": 4, "cells": [{",".join(["{}"] * 2001)}]}}', "2001 cells are more"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(content, reason):
    with pytest.raises(SubmissionError, match=f"n.ipynb is not a notebook .*{reason}"):
        parse(content.encode(), "ada", "n.ipynb")


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(SubmissionError, match=r"not UTF-8 text \(byte 1\)"):
        parse(b"{\xff}", "ada", "n.ipynb")


def test_a_notebook_of_format_3_is_upgraded():
    old = nbformat.convert(nbformat.from_dict(notebook()), 3)
    assert parse(nbformat.writes(old, 3).encode(), "ada", "n.ipynb").cells[0].source == "x = 1"


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
def test_a_timestamp_that_is_no_date_is_noted_and_ignored(folder, text):
    put(folder, "optimizers_dev.ipynb")
    (folder / "timestamp.txt").write_text(text)
    submission = take(folder)
    assert submission.timestamp is None
    assert submission.flags[0].startswith("timestamp.txt ignored, not a date")


@pytest.mark.parametrize(
    "student", ["ada", "Ada Lovelace", "a.b-c_d", "[1]", "a,b", "Ωμέγα", "a'b"]
)
def test_unusual_names_are_students(student):
    assert intake.problem_with_id(student) is None


@pytest.mark.parametrize("student", [" ada", "a\nb", "a\udcff", "x" * 129, "语" * 100])
def test_names_that_the_gradebook_or_a_file_cannot_hold_are_none(student):
    assert intake.problem_with_id(student) is not None


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    theirs = tmp_path / "ben" / "08_optimizers"
    theirs.mkdir(parents=True)
    (theirs / "optimizers_dev.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    mine = tmp_path / "ada" / "08_optimizers"
    mine.parent.mkdir()
    mine.symlink_to(theirs)
    with pytest.raises(intake.SubmissionError, match="is a link to"):
        intake.receive(mine, "ada", "optimizers_dev", set())


def test_a_name_with_bytes_that_are_no_text_can_be_noted():
    assert intake.printable("a\udcff.py") == "a\\udcff.py"
    assert intake.printable("ä") == "ä"
