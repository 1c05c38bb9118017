"""The project agrees with itself: names and versions, layers, lock file, README."""

import ast
import configparser
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tinytorch
from tests.conftest import LONGEST, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "settings.ini")
README = (ROOT / "README.md").read_text()


def imports_of(path: Path) -> set[str]:
    """Return the absolute names that a file imports."""
    found = set()
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            module = f"{base}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_version_is_the_same_everywhere():
    assert PROJECT["version"] == SETTINGS["DEFAULT"]["version"] == tinytorch.__version__


def test_name_licence_and_python_are_the_same_in_both_configurations():
    settings = SETTINGS["DEFAULT"]
    assert PROJECT["name"] == settings["lib_name"]
    assert (PROJECT["license"], settings["license"]) == ("Apache-2.0", "apache2")
    assert PROJECT["requires-python"] == f">={settings['min_python']}"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_nbdev_nbgrader_and_the_tools_look_for_notebooks_in_the_same_folder():
    from tito.course import Course

    course = Course(ROOT)
    assert course.notebooks == ROOT / SETTINGS["DEFAULT"]["nbs_path"]
    folders = course.nbgrader_config().CourseDirectory
    assert course.notebooks == ROOT / folders.source_directory
    for step in ("release", "submitted", "autograded", "feedback"):
        assert getattr(course, step) == ROOT / folders[f"{step}_directory"]


#: What files may import besides NumPy and the standard library: of others, and of the package.
MAY_IMPORT = {
    "core/*.py": ((), ("core",)),
    "checks/*.py": (("IPython",), ("checks",)),
    "checks/for_*/**/*.py": (
        ("IPython",),
        ("checks", "core.tensor", "core.autograd", "parallel.threads"),
    ),
    "parallel/**/*.py": (("mpi4py", "cloudpickle"), ("core", "datasets", "parallel")),
    "profiling/**/*.py": (("matplotlib", "tqdm"), ("profiling",)),
    "figures.py": (("matplotlib", "matplotlib_inline"), ()),
}


@pytest.mark.parametrize("files", MAY_IMPORT)
def test_a_package_imports_only_what_stands_below_it(files):
    others, own = MAY_IMPORT[files]
    allowed = {"numpy", "tinytorch", *others, *sys.stdlib_module_names}
    paths = list((ROOT / "tinytorch").glob(files))
    assert paths
    for path in paths:
        assert {name.split(".")[0] for name in imports_of(path)} <= allowed, path
        inside = {name for name in imports_of(path) if name.startswith("tinytorch.")}
        assert all(name.startswith(tuple(f"tinytorch.{n}" for n in own)) for name in inside), path


ORDER = ["tensor", "autograd", "optimizers", "modern_optimizers"]


@pytest.mark.parametrize("position", range(len(ORDER)))
def test_core_modules_import_only_those_before_them(position):
    imported = imports_of(ROOT / "tinytorch" / "core" / f"{ORDER[position]}.py")
    later = {f"tinytorch.core.{name}" for name in ORDER[position:]}
    assert not imported & later


def test_observing_knows_nothing_of_judging():
    below = ("origin", "student", "wire")
    for name, may_import in {"observe": below, "publish": ("observe", *below)}.items():
        imported = imports_of(ROOT / "tinytorch" / "checks" / f"{name}.py")
        inside = {name.split(".")[2] for name in imported if name.startswith("tinytorch.checks.")}
        assert inside <= set(may_import)
    for name in below:
        imported = imports_of(ROOT / "tinytorch" / "checks" / f"{name}.py")
        assert not any(name.startswith("tinytorch") for name in imported)


def test_judging_runs_without_cells_and_reports():
    imported = imports_of(ROOT / "tinytorch" / "checks" / "judge.py")
    inside = {name.rsplit(".", 1)[0] for name in imported if name.startswith("tinytorch.checks.")}
    allowed = {f"tinytorch.checks{name}" for name in ("", ".matchers", ".observe", ".problem")}
    assert inside <= allowed


def test_the_tools_name_nothing_of_this_course():
    from tito.course import Course

    course = Course(ROOT)
    names = {course.distribution, *(place.name for place in course.shared if place.suffix)}
    names |= {n for m in course.modules for n in (m.name, m.notebook, m.exports_to)}
    for path in python_files("tito"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        constants = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
        told = [n.value for n in constants if any(name in str(n.value) for name in names)]
        assert told == [], path


def test_nbdev_is_imported_in_one_place_only():
    users = [
        path.name
        for path in python_files("tito")
        if any(name.split(".")[0] == "nbdev" for name in imports_of(path))
    ]
    assert users == ["nbdev_export.py"]


def test_importing_the_package_loads_nothing_but_numpy_and_itself():
    code = (
        "import sys; before = set(sys.modules); import tinytorch.core.autograd; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'numpy', 'tinytorch'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    # Names with an underscore are accelerators of NumPy and the standard library.
    assert [n for n in ast.literal_eval(answer.stdout) if not n.startswith("_")] == []


def test_every_dependency_is_pinned_and_no_index_is_named():
    text = (ROOT / "constraints.txt").read_text()
    pinned = {line.split("==")[0].lower() for line in text.splitlines() if "==" in line}
    optional = PROJECT["optional-dependencies"]
    extras = ("dev", "parallel", "cluster", "postgresql", "compiled")
    named = [*PROJECT["dependencies"], *(name for extra in extras for name in optional[extra])]
    wanted = {re.split(r"[][<>=!~ ]", requirement)[0].lower() for requirement in named}
    assert wanted <= pinned
    assert not re.search(r"https?:|index-url|find-links|@ file", text)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _resolves(path: Path, name: str) -> bool:
    """Whether a reference in a docstring leads somewhere: from its file, its package or the top."""
    package = path.parent.relative_to(ROOT).parts
    for start in ((), package, (*package, path.stem)):
        parts = (*start, *name.split("."))
        for end in range(len(parts), 0, -1):
            module = ROOT.joinpath(*parts[:end])
            files = [module.with_suffix(".py"), module / "__init__.py"]
            text = "".join(file.read_text() for file in files if file.is_file())
            made = r"(?:def |class |import [^\n]*|^ *|\n    )%s\b(?! [a-z])"
            if text and all(re.search(made % part, text, re.MULTILINE) for part in parts[end:]):
                return True
    return False


def test_references_in_docstrings_lead_somewhere():
    dead = []
    for path in [*python_files("tito"), *python_files("tinytorch")]:
        for name in re.findall(r":(?:mod|func|class|meth|data):`~?([\w.]+)`", path.read_text()):
            if not _resolves(path, name):
                dead.append(f"{path.relative_to(ROOT)}: {name}")
    assert dead == []


def test_files_that_begin_first_exist():
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_make_without_a_target_lists_the_targets():
    # Not as a part of the `make test` that may run this.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    answer = subprocess.run(["make"], capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    assert {line.split()[1] for line in answer.stdout.splitlines()} == make_targets()


def test_links_and_pictures_of_the_readme_are_there_and_small():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    pictures = [link for link in links if link.endswith(".png")]
    assert len(pictures) == 2
    assert all((ROOT / picture).stat().st_size < 120_000 for picture in pictures)
    made = (ROOT / "docs" / "pictures.py").read_text()
    assert all(f'"{Path(picture).name}"' in made for picture in pictures)
