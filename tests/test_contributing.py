"""What maintainers rely on: the guide, the hooks, the versions of Python that are declared."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests import pythons
from tests.test_project import make_targets
from tito.cli import cli
from tito.student.main import cli as students

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def commands(text: str, program: str) -> set[str]:
    """Return what a page calls a program with, in code."""
    code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    lines = [line.split("#")[0] for pair in code for part in pair for line in part.splitlines()]
    found = [re.match(rf"(?:\.venv/bin/)?{program} ([a-z -]+)", line.strip()) for line in lines]
    return {match[1].split()[0] for match in found if match}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page):
    text = page.read_text()
    of_students = set(students.list_commands(None)) if page.name == "README.md" else set()
    assert commands(text, "tito") <= {*cli.list_commands(None), *of_students}
    bundle = (ROOT / "tito/authoring/templates/bundle/Makefile.j2").read_text()
    phony = re.search(r"\.PHONY: (.*)", bundle)[1]
    in_the_bundle = set(re.sub(r"{%.*?%}", "", phony).split())
    known = in_the_bundle if page.name == "students.md" else make_targets()
    assert commands(text, "make") <= known


def test_the_guide_tells_every_target():
    assert commands(GUIDE, "make") == make_targets() - {"help"}


def test_files_that_the_guide_names_exist():
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:toml|txt|ini|md))`", GUIDE)
    made = {
        ".venv/",
        "build/",
        "build/demo/",
        "dist/",
        "build/site/",
        "right/",
        "exercises/",
        "cli.py",
        "modules/submitted/ada/08_optimizers/",
    }
    named = {name for name in named if not re.search("NN_|GRADE_ID|/name", name)} - made
    assert len(named) > 8
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_hooks_call_make_and_need_no_network():
    assert [repository["repo"] for repository in HOOKS["repos"]] == ["local"]
    hooks = HOOKS["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    called = {tuple(hook["stages"]): hook["entry"] for hook in hooks}
    assert called == {("pre-commit",): "make lint", ("pre-push",): "make test"}
    assert {entry.split()[1] for entry in called.values()} <= make_targets()
    assert called["pre-push",] in (ROOT / ".ci" / "run").read_text()


def test_the_pythons_that_are_declared_are_those_that_are_tried():
    prefix = "Programming Language :: Python :: "
    declared = [line.removeprefix(prefix) for line in PROJECT["classifiers"]]
    assert tuple(declared) == pythons.VERSIONS
    assert PROJECT["requires-python"] == f">={declared[0]}"


def test_what_builds_the_site_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines}
    named = PROJECT["optional-dependencies"]["docs"]
    assert {re.split("[<>=]", requirement)[0] for requirement in named} <= pinned
