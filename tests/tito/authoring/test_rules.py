"""The rules of a source and of a release, each broken once: the message names the cell."""

import re

import nbformat
import pytest

from tito.authoring.new import create
from tito.authoring.rules import check_release, check_source, faults_of, secret_lines
from tito.authoring.source import read_source, write_notebook
from tito.course import Course
from tito.errors import TitoError

SOLUTION = "mean-square-function"
TEST = "test-mean-square"
PROMPT = "prompt-1-mean-square"
QUESTION = "question-1-mean-square"
FOLDER = "for_01_decay"
REGION = re.compile(r" *### BEGIN SOLUTION.*?### END SOLUTION\n", re.DOTALL)


@pytest.fixture
def module(tmp_path):
    """A module whose source keeps every rule."""
    (tmp_path / "modules/source").mkdir(parents=True)
    (tmp_path / "settings.ini").write_text("[DEFAULT]\nlib_path = tinytorch\n")
    return create(Course(tmp_path), "decay")


@pytest.fixture
def checks(module, tmp_path):
    """The folder of its checks."""
    return Course(tmp_path).checks(module)


def source_of(module):
    return read_source(module.source, Course(module.source.parents[3]).checks(module))


def test_a_good_source_passes_also_where_a_question_is_worth_nothing(module):
    assert faults_of(module, source_of(module)) == []
    text = re.sub(r"- \*\*\d points?", "- **0 points", module.source.read_text())
    before, name, after = text.partition(f'"grade_id": "{QUESTION}"')
    module.source.write_text(before + name + after.replace('"points": 10', '"points": 0', 1))
    assert faults_of(module, source_of(module)) == []


#: What is changed in the header of a cell, and what the rules say of it.
HEADERS = [
    ("imports", '"task": false', "", "missing keys ['task']"),
    ("imports", '"task": false', '"task": false, "worth": 3', "unknown keys ['worth']"),
    ("imports", '"schema_version": 3', '"schema_version": 2', "schema_version must be 3, got 2"),
    ("imports", '"locked": true', '"locked": 1', "locked must be true or false, got 1"),
    ("imports", '"locked": true', '"locked": false', "locked false is of no kind"),
    ("imports", '"task": false', '"task": true', "tasks are not used here"),
    ("imports", '"imports"', '"The Imports"', "grade_id must be like test-sgd"),
    ("imports", f'"{"imports"}"', f'"{TEST}"', "the grade_id is used by 2 cells"),
    ("imports", '"locked": true', '"locked": true, "points": 1', "points 1 on a cell that is not"),
    (TEST, '"locked": true', '"locked": false', "graded (code, grade and locked)"),
    (TEST, '"points": 10', '"points": 2.5', "needs whole points, at least 1, got 2.5"),
    (TEST, '"points": 10', '"points": 0', "needs whole points, at least 1, got 0"),
    (QUESTION, '"points": 10', '"points": -1', "needs whole points, at least 0, got -1"),
    (TEST, '"points": 10', '"points": 11', "its Checks must be worth 11 points as its header"),
    (TEST, '"points": 10', '"points": 11', "its parts must add up to 11 points, got 10"),
    (QUESTION, '"points": 10', '"points": 12', f"the rubric of {PROMPT} must add up to 12"),
    (SOLUTION, '"locked": false', '"locked": true', "a code cell with grade false, solution true"),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), HEADERS)
def test_a_wrong_header_is_named(module, name, old, new, told):
    lines = module.source.read_text().split("\n")
    number = next(n for n, line in enumerate(lines) if f'"grade_id": "{name}"' in line)
    lines[number] = re.sub(r", (?=})", "", lines[number].replace(old, new, 1))
    module.source.write_text("\n".join(lines))
    named = re.search(r'"grade_id": "(.*?)"', lines[number])[1]
    found = faults_of(module, source_of(module))
    assert any(f"line {number + 1}, {named}: " in fault and told in fault for fault in found), found


OUTSIDE = "# TODO: x.\n### BEGIN SOLUTION\nX = 1\n### END SOLUTION\ndef mean_square("
SHOWN = 'if __name__ == "__main__":\n    print'
LAST = "# - The mean square measures"
LEAK = """\
# - **2 points, a second number.** The mean, the largest absolute value or another one that tells
#   such cases apart, with the reason.
# - **2 points, an example.** Two short arrays, worked out.
# - x"""
#: A passage of the source, what it becomes, the cell that is named (or None), and what is said.
TEXTS = [
    # regions
    ("import numpy as np", "import numpy  # see BEGIN SOLUTION", "imports", "stray marker 'BEGIN"),
    ("    ### END SOLUTION\n", "", SOLUTION, "stray marker 'BEGIN SOLUTION'"),
    ("### BEGIN MARK SCHEME", "### BEGIN HIDDEN TESTS", PROMPT, "stray marker"),
    ("import numpy as np", "### BEGIN SOLUTION\n### END SOLUTION", "imports", "belongs in a sol"),
    (REGION, "    return 0.0\n", SOLUTION, "needs a solution region"),
    ("# TODO: return the mean", "# Return the mean", SOLUTION, "mean_square: a comment '# TODO:"),
    ("    # TODO: return", "    # TODO:\n    #: return", SOLUTION, "a comment '# TODO: ...' must"),
    ("# Hint: how", "# Hint: a\n    # Hint: b\n    # Hint: how", SOLUTION, "at most 2 hints"),
    (re.compile(r'    """Return the mean of.*?"""\n', re.S), "", SOLUTION, "needs a docstring"),
    ("def mean_square(", OUTSIDE, SOLUTION, "line 3 of the cell: a solution region must be in a"),
    ("#| export\ndef mean", "def mean", SOLUTION, "a solution cell begins with '#| export'"),
    ("np.square(array).mean()", "np.square(array", SOLUTION, "is not valid Python, line"),
    # graded cells
    ("square import checks", "square import Checks", TEST, "import checks as NAME', got 0"),
    (f"{FOLDER}.mean_square import", f"{FOLDER}.rms import", TEST, "no module rms.py with an obj"),
    (".run(mean_square)", ".run()", TEST, "test_... that calls mean_square_checks.run(mean_squ"),
    (".show(mean_square)", ".show", TEST, "full marks"),
    ("def test_unit_decay_mean_square():", "def test_x(:", TEST, "is not valid Python, line"),
    ("def test_unit", "\n" * 20 + "def test_unit", TEST, "lines; at most 25 in a graded cell"),
    # pairs
    ("def mean_square(", "def _mean_square(", SOLUTION, "defines a public function or class"),
    ("def mean_square(", "def rms(", SOLUTION, f"no graded cell after {SOLUTION} uses rms"),
    ("def mean_square(", "def rms(", TEST, "must use what a solution cell above it defines"),
    # questions
    ("- **3 points, what is known", "- **4 points, what", QUESTION, "10 points, got [4, 3, 2, 2]"),
    (re.compile(r"# ### BEGIN MARK.*?SCHEME\n", re.S), "", QUESTION, "a locked prompt with"),
    ("# The squares of both", "# ### END SOLUTION\n# The squares", QUESTION, "in every answer"),
    (re.compile(r"# The squares of .*?does too\.\n", re.S), "", QUESTION, "needs a model answer"),
    # layout
    ("#| default_exp core.decay", "x = 1", "cell-002", "needs a line '#| default_exp core.NAME'"),
    ("print(mean_square([", "print()\n#| default_exp core.x\nprint(([", "cell-007", "and no other"),
    (SHOWN, "#| export\n" + SHOWN, "cell-007", "an exported cell of an assignment is locked or a"),
    ("# - The mean square measures", "x = 1\n# - The", None, "'x = 1' would become text"),
    # leaks
    (LAST, LEAK, "cell-013", "repeats 3 lines of a solution, from '- **2 points, a second"),
    # sizes
    (LAST, "# " + "word " * 200 + "\n# - The", "cell-013", "words of text"),
    ("    print(mean_square([", "    1\n" * 30 + "    print(([", "cell-007", "32 lines of demonst"),
    ("    array = np.asarray", "    1\n" * 80 + "    array = np.asarray", SOLUTION, "at most 80"),
]


#: A file of the checks, a passage of it, what that becomes, and what is said of the graded cell.
CHECKS = [
    ("mean_square.py", '"test-mean-square"', '"test-mean"', "its Checks must name 'test-mean-squ"),
    ("mean_square.py", "points=10", "points=11", "must be worth 10 points as its header, got 11"),
    ("mean_square.py", "points=3,", "points=4,", "its parts must add up to 10 points, got 11"),
    ("mean_square.py", "points=3,", "points=-3,", "counts_in_any_shape: a part needs"),
    ("mean_square.py", 'hint="How many', 'hint="" and "', "a part needs a hint"),
    ("mean_square.py", "every_element_counts_in_any_shape", "signs_do_not_cancel", "2 parts of"),
    ("exercises/mean_square.py", '"""Every element of a matrix counts once."""', "", "a docstring"),
    ("exercises/mean_square.py", "values: list[list", "data: list[list", "takes ['data'], but its"),
    ("exercises/mean_square.py", "student: Student, values: list[l", "values: list[l", "first"),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), CHECKS)
def test_a_broken_rule_of_the_checks_is_named_with_the_cell(module, checks, name, old, new, told):
    text = (checks / name).read_text()
    assert old in text
    (checks / name).write_text(text.replace(old, new, 1))
    found = faults_of(module, source_of(module))
    assert any(f", {TEST}: " in fault and told in fault for fault in found), found


def test_a_module_of_checks_that_does_not_run_is_named(module, checks):
    (checks / "mean_square.py").write_text("import nowhere")
    assert "checks/mean_square.py: ModuleNotFoundError: No module named 'nowhere'" in faults_of(
        module, source_of(module)
    )


def test_checks_that_repeat_a_solution_are_named(module, checks):
    text = "".join(f"    # a line of a solution {n}\n" for n in range(3))
    first = "    array = np.asarray"
    module.source.write_text(module.source.read_text().replace(first, text + first))
    (checks / "more.py").write_text(text)
    (fault,) = faults_of(module, source_of(module))
    assert "checks/more.py repeats 3 lines of a solution, from '# a line of a" in fault


@pytest.mark.parametrize(("old", "new", "cell", "told"), TEXTS)
def test_a_broken_rule_is_named_with_its_cell(module, old, new, cell, told):
    text = module.source.read_text()
    found = old if isinstance(old, re.Pattern) else re.compile(re.escape(old))
    changed = found.sub(lambda match: new, text, count=1)
    assert changed != text
    module.source.write_text(changed)
    found = faults_of(module, source_of(module))
    where = "line " if cell is None else f", {cell}: "
    assert any(where in fault and told in fault for fault in found), found


def test_two_solution_cells_in_a_row_are_named(module):
    source = source_of(module)
    position = next(n for n, cell in enumerate(source.cells) if cell.id == SOLUTION)
    double = nbformat.from_dict(source.cells[position])
    double.metadata.nbgrader["grade_id"] = "rms-function"
    source.cells.insert(position, double)
    [fault] = faults_of(module, source)
    assert fault == "rms-function: a graded cell must follow before the next solution cell"


def test_a_rubric_without_an_answer_is_named(module):
    source = source_of(module)
    source.cells = [cell for cell in source.cells if cell.id != QUESTION]
    [fault] = faults_of(module, source)
    assert fault == f"{PROMPT}: a rubric stands directly above the answer that it is for"


@pytest.mark.parametrize(
    ("folder", "told"), [("Decay", "09_schedules"), ("01_decays", "decays_dev")]
)
def test_a_misnamed_folder_is_told(module, checks, folder, told):
    moved = module.source.parent.rename(module.source.parent.with_name(folder))
    other = type(module)(moved / module.source.name)
    [fault] = faults_of(other, read_source(other.source, checks))
    assert told in fault


def test_refuses_source_with_a_line_per_fault(module):
    source = source_of(module)
    source.cells[3].metadata.nbgrader["schema_version"] = 2
    source.cells[3].metadata.nbgrader["worth"] = 2
    with pytest.raises(TitoError, match="source of 01_decay breaks 2 rule") as refused:
        check_source(module, source)
    assert len(str(refused.value).split("\n")) == 3


@pytest.fixture
def released(module):
    """The source as a release that is clean: without regions."""
    notebook = source_of(module)
    region = re.compile(r"( *)### BEGIN .*?### END [A-Z ]+", re.S)
    for cell in notebook.cells:
        cell.source = region.sub(r"\1pass", cell.source)
    return notebook


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def broken(:", "imports: does not compile, line 1"),
        ("return float(np.square(array).mean())", "imports: leaks 'return float(np.square(array)"),
        ("### END SOLUTION", "imports: a marker is left"),
    ],
)
def test_a_bad_release_is_refused(module, released, tmp_path, text, fault):
    path = tmp_path / "released.ipynb"
    write_notebook(released, path)
    check_release(module, path, source_of(module))
    next(cell for cell in released.cells if cell.id == "imports").source = text
    write_notebook(released, path)
    with pytest.raises(TitoError, match=re.escape(fault)):
        check_release(module, path, source_of(module))


def test_what_stands_in_public_too_is_no_secret(module):
    source = source_of(module)
    line = "return float(np.square(array).mean())"
    assert line in secret_lines(source)
    source.cells[-1].source += f"\n{line}"
    assert line not in secret_lines(source)


def test_a_line_that_only_opens_a_call_is_no_secret(module):
    source = source_of(module)
    solution = next(cell for cell in source.cells if "### BEGIN SOLUTION" in cell.source)
    lines = "### BEGIN SOLUTION\n    super().__init__(\n    7.25 - 1.75 * 17.25)"
    solution.source = solution.source.replace("### BEGIN SOLUTION", lines)
    assert {"7.25 - 1.75 * 17.25)"} == secret_lines(source) - secret_lines(source_of(module))


def test_empty_policy_is_a_fault(module):
    module.policy.write_text("Ask back.\n")
    assert faults_of(module, source_of(module)) == []
    module.policy.write_text("\n")
    (fault,) = faults_of(module, source_of(module))
    assert fault.startswith("AGENTS.md is empty; write the policy for AI assistants, or")
