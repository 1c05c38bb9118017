"""Names and texts of students' never command the instructor's terminal."""

import subprocess
import sys
import unicodedata

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.tito.small_course import named, solve

TITO = [sys.executable, "-c", "from tito.cli import main; main()"]
#: Clears the screen, in two ways; sets the window's title; turns the direction; a half character.
EVIL = "\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r"


@pytest.fixture
def tito(course):
    """Call the command line; return what it said, as it would reach a terminal."""

    def call(*arguments: str) -> str:
        answer = subprocess.run([*TITO, *arguments], cwd=course.root, capture_output=True)
        return (answer.stdout + answer.stderr).decode()

    return call


def commands_in(text: str) -> set[str]:
    """Return the characters that a terminal may obey."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n"}


def test_what_students_name_is_printed_and_logged_escaped(course, module, hand_in, released, tito):
    notebook = solve(nbformat.from_dict(released))
    notebook.cells.insert(0, named(new_code_cell("1", id="own"), f"evil{EVIL}", solution=True))
    hand_in("flagged", notebook)
    hand_in("flagged", notebook, f"other{EVIL}.ipynb")
    for letter in "ab":
        hand_in("unclear", notebook, f"{letter}{EVIL}.ipynb")
    hand_in("broken", f"no notebook {EVIL}", f"x{EVIL}.ipynb")
    (course.submitted / "unclear" / module.name / "\udcff.txt").touch()
    said = {
        " ".join(words): tito(*words)
        for words in (
            ("grade", "08"),
            ("grade", "08", "--json", "--force"),
            ("scores", "08"),
            ("scores", "08", "--format", "csv"),
            ("feedback", "08"),
            ("overview", "08"),
            ("status",),
            ("grade", f"0{EVIL}"),
        )
    }
    assert {name: commands_in(text) for name, text in said.items()} == dict.fromkeys(said, set())
    assert r"other\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r.ipynb" in said["scores 08"]
    assert r"a\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r.ipynb" in said["grade 08"]
    logs = sorted((course.records / module.name).glob("*.log"))
    assert [commands_in(log.read_text()) for log in logs] == [set()] * 2
