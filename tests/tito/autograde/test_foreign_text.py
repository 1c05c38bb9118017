"""Names and texts of students' never command the instructor's terminal."""

import unicodedata

from nbformat.v4 import new_code_cell

from tests.tito.small_course import named, solved

#: Clears the screen, in two ways; sets the window's title; turns the direction; a half character.
EVIL = "\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r"
COMMANDS = ["grade 08", "grade 08 --json --force", "scores 08", "scores 08 --format csv"]
COMMANDS += ["feedback 08", "overview 08", "status", f"grade 0{EVIL}"]


def commands_in(text: str) -> set[str]:
    """Return the characters that a terminal may obey."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n"}


def test_what_students_name_is_printed_and_logged_escaped(course, module, hand_in, released, tito):
    notebook = solved(released)
    notebook.cells.insert(0, named(new_code_cell("1", id="own"), f"evil{EVIL}", solution=True))
    hand_in("flagged", notebook)
    hand_in("flagged", notebook, f"other{EVIL}.ipynb")
    for letter in "ab":
        hand_in("unclear", notebook, f"{letter}{EVIL}.ipynb")
    hand_in("broken", f"no notebook {EVIL}", f"x{EVIL}.ipynb")
    (course.submitted / "unclear" / module.name / "\udcff.txt").touch()
    said = {words: "".join(tito(*words.split(" "))[1:]) for words in COMMANDS}
    assert {name: commands_in(text) for name, text in said.items()} == dict.fromkeys(said, set())
    assert r"other\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r.ipynb" in said["scores 08"]
    assert r"a\x1b[2J\x9b2J\x1b]0;title\x07\u202e\r.ipynb" in said["grade 08"]
    logs = sorted((course.records / module.name).glob("*.log"))
    assert [commands_in(log.read_text()) for log in logs] == [set()] * 2
