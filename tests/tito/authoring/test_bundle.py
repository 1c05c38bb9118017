"""The zip for students: whole, the same bytes each time, and without a line of a solution."""

import io
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tito.authoring.bundle import pack, texts_in
from tito.authoring.source import read_source
from tito.course import Course
from tito.errors import TitoError

ROOT = Path(__file__).resolve().parents[3]
REGIONS = re.compile(r"^\s*### BEGIN .*?\n(.*?)^\s*### END .*?$", re.MULTILINE | re.DOTALL)


def test_the_zip_holds_what_its_readme_names(bundle):
    with zipfile.ZipFile(bundle) as packed:
        names = packed.namelist()
        readme = packed.read("08_optimizers/README.md").decode()
    assert [name.removeprefix("08_optimizers/") for name in names] == [
        "AGENTS.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "constraints.txt",
        "optimizers_dev.ipynb",
        "tinytorch_student-0.1.0-py3-none-any.whl",
    ]
    assert names[-1].split("/")[1] in readme and "optimizers_dev.ipynb" in readme


def files_in(zipped):
    """Give the entries of a bundle and of the wheel in it."""
    with zipfile.ZipFile(zipped) as packed:
        for info in packed.infolist():
            yield info
            if info.filename.endswith(".whl"):
                yield from files_in(io.BytesIO(packed.read(info)))


def test_dates_files_by_source(bundle, real_course):
    changed = real_course.module("08_optimizers").source.stat().st_mtime
    times = {datetime(*info.date_time, tzinfo=UTC).timestamp() for info in files_in(bundle)}
    assert len(times) == 1 and 0 <= changed - times.pop() <= 2


@pytest.fixture
def course(real_course, tmp_path):
    """A copy of the real course, to change."""
    shutil.copytree(real_course.root, tmp_path / "course")
    return Course(tmp_path / "course")


def packed_again(course: Course) -> Path:
    module = course.module("08_optimizers")
    return pack(course, module, course.release / module.name / "optimizers_dev.ipynb")


def test_the_same_course_gives_the_same_bytes(bundle, course):
    assert packed_again(course).read_bytes() == bundle.read_bytes()


def test_the_course_s_policy_for_assistants_is_taken_and_no_file_may_hold_a_solution(
    bundle, course
):
    def policy(path):
        with zipfile.ZipFile(path) as packed:
            return packed.read("08_optimizers/AGENTS.md").decode()

    usual = policy(bundle)
    assert "assignment, `08_optimizers`" in usual and "`optimizers_dev.ipynb`" in usual
    own = course.module("08_optimizers").policy
    own.write_text("Our rules.\n")
    made = packed_again(course)
    before, line = made.read_bytes(), "w = parameter.data.data"
    assert policy(made) == "Our rules.\n"
    for path, told in ((own, "AGENTS.md"), (course.root / "constraints.txt", "constraints.txt")):
        text = path.read_text()
        path.write_text(f"{text}\n{line}\n")
        with pytest.raises(TitoError, match=rf"gives solutions away:\n.*{told}: {line}"):
            packed_again(course)
        path.write_text(text)
    assert made.read_bytes() == before


def solution_lines() -> set[str]:
    """Return every telling line of the solutions and rubrics that the text does not show."""
    secret, public = set(), ""
    for module in Course(ROOT).modules:
        if module.name < "08":
            continue
        for cell in read_source(module.source).cells:
            for body in REGIONS.findall(cell.source):
                secret |= {line.strip() for line in body.split("\n")}
            public += REGIONS.sub("", cell.source) + "\n"
        for path in Course(ROOT).checks(module).rglob("*.py"):
            public += path.read_text()
    return {line for line in secret if len(line) > 15 and line not in public}


def test_zip_holds_no_solution_line(bundle):
    secrets = solution_lines()
    assert len(secrets) > 300
    assert any("3 points" in line for line in secrets), "rubrics are among them"
    texts = list(texts_in(bundle.read_bytes(), "zip"))
    assert any(name.endswith("tinytorch/core/autograd.py") for name, _ in texts)
    found = {(name, line) for name, text in texts for line in secrets if line in text}
    assert not found


def test_wheel_holds_no_reference_and_no_grader(bundle):
    names = [name for name, _ in texts_in(bundle.read_bytes(), "")]
    wheel = [name.split(".whl/tinytorch/")[1] for name in names if ".whl/tinytorch/" in name]
    assert {"core/tensor.py", "core/autograd.py", "data/digits.csv.gz"} <= set(wheel)
    tools = {name.split(".whl/tito/")[1].split("/")[0] for name in names if ".whl/tito/" in name}
    assert tools == {"__init__.py", "__main__.py", "errors.py", "student", "text.py"}
    assert "core/optimizers.py" not in wheel


def test_imports_installed_package_not_checkout(machine):
    code = (
        "import tinytorch.datasets, tinytorch.core.autograd, sys\n"
        "images, labels = tinytorch.datasets.load_digits()\n"
        "print(images.shape)\n"
        f"print([p for p in sys.path if p.startswith({str(ROOT)!r}) and '.venv' not in p])\n"
        "print(tinytorch.__file__)\n"
        "import tinytorch.core.optimizers\n"
    )
    answer = machine.run("python", "-c", code)
    shape, paths, file = answer.stdout.splitlines()
    assert (shape, paths) == ("(1797, 64)", "[]")
    assert Path(file).is_relative_to(machine.environment)
    assert "No module named 'tinytorch.core.optimizers'" in answer.stderr


def test_commands_start_without_heavy_imports(machine):
    code = (
        "import sys, tito.student.main, tito.student.export\n"
        "print({'nbgrader', 'nbdev', 'nbformat', 'jupytext'} & set(sys.modules))"
    )
    assert machine.run("python", "-c", code).stdout.strip() == "set()"


def test_makefile_names_existing_commands(machine):
    make = ["make", "--dry-run", "--assume-old=.venv/.installed"]
    said = subprocess.check_output(
        [*make, "lab", "test", "watch", "submit"],
        cwd=machine.folder,
        env=machine.variables,
        text=True,
    )
    assert [line for line in said.splitlines() if line.startswith(".venv/bin/")][-4:] == [
        ".venv/bin/jupyter lab optimizers_dev.ipynb",
        ".venv/bin/tito test optimizers_dev.ipynb",
        ".venv/bin/tito test --watch optimizers_dev.ipynb",
        ".venv/bin/tito submit optimizers_dev.ipynb",
    ]
