"""The tree can be read from the bottom up: a package imports only what stands below it."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: From the bottom up.
LAYERS = [
    *("errors", "text", "student", "course", "authoring", "submission", "flags", "sandbox"),
    *("kernels", "scoring", "gradebook", "autograde", "hand_in", "pages", "doctor"),
    *("commands", "__main__", "cli"),
]


def imports(path: Path) -> set[str]:
    """What a file imports, anywhere in it: the full names of modules, or of what is in them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ".." if node.level else ""  # only nbdev writes such, within the package
            found |= {f"{above}{node.module}.{alias.name}" for alias in node.names}
    return found


def test_a_package_imports_only_what_stands_below_it():
    up = []
    for path in (ROOT / "tito").rglob("*.py"):
        layer = path.relative_to(ROOT / "tito").with_suffix("").parts[0]
        for name in imports(path):
            first, _, rest = name.partition(".")
            if first == "tito" and rest and layer != "__init__":
                other = rest.partition(".")[0]
                if LAYERS.index(other) > LAYERS.index(layer):
                    up.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not up, "\n".join(up)


def test_what_students_build_never_imports_the_tools():
    for path in (ROOT / "tinytorch").rglob("*.py"):
        assert not {name for name in imports(path) if name.partition(".")[0] == "tito"}, path


def test_a_students_part_of_the_tools_imports_nothing_else_of_them():
    below = ("tito.errors", "tito.text", "tito.student", "tito.__main__")
    for path in (ROOT / "tito" / "student").rglob("*.py"):
        ours = {name for name in imports(path) if name.partition(".")[0] == "tito"}
        assert all(name.startswith(below) for name in ours), path


def test_no_two_files_have_one_name():
    """But a command's file, which is named as what people type."""
    files = [p for p in (ROOT / "tito").rglob("*.py") if p.name != "__init__.py"]
    names = Counter(path.name for path in files if path.parent.name != "commands")
    assert not [name for name, count in names.items() if count > 1]


#: What grading one submission takes, besides the five functions' own file.
SPINE = """
autograde.audit autograde.job autograde.limits autograde.run_cells
submission.intake submission.recognize submission.rebuild
submission.leaving_out submission.search submission.traces submission.known submission.syntax
student.scopes
scoring.judging scoring.check_plan scoring.payload scoring.reference scoring.asserts
scoring.verdicts
flags.suspicion flags.names flags.rules gradebook.result
kernels.kernel_protocol kernels.budget kernels.frames kernels.capture sandbox.settings
course.cells course.check_modules course.judged_by course.times student.notebook errors text
""".split()


def test_grading_a_submission_needs_no_database_worker_or_sandbox():
    needed, todo = set(), ["tito.autograde.grade_submission"]
    while todo:
        name = todo.pop()
        path = (ROOT / name.replace(".", "/")).with_suffix(".py")
        if name not in needed and path.is_file():
            needed.add(name)
            found = imports(path)
            todo += {*found, *(one.rpartition(".")[0] for one in found)}
    ours = {name.removeprefix("tito.") for name in needed if name.startswith("tito.")}
    assert ours == {"autograde.grade_submission", *SPINE}
