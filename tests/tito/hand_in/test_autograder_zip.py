"""The zip: what Gradescope asks of it, what is in it, and what an instructor hears."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tito.autograde.job import unpacked
from tito.hand_in.hand_in_results import Options

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def texts(autograder) -> dict[str, bytes]:
    with zipfile.ZipFile(autograder) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_both_scripts_stand_at_the_top_and_can_be_run(autograder):
    with zipfile.ZipFile(autograder) as packed:
        for name in ("setup.sh", "run_autograder"):
            assert packed.getinfo(name).external_attr >> 16 & stat.S_IXUSR, name
            assert packed.read(name).startswith(b"#!/usr/bin/env bash\n"), name


def test_every_requirement_has_a_version_that_was_tested(texts):
    lines = texts["requirements.txt"].decode().splitlines()
    required = [Requirement(line).name for line in lines]
    pinned = texts["constraints.txt"].decode()
    assert {"numpy", "nbgrader", "ipykernel", "matplotlib"} <= set(required)
    assert [name for name in required if f"\n{name.lower()}==" not in f"\n{pinned.lower()}"] == []
    assert pinned == (ROOT / "constraints.txt").read_text()


def test_the_assignment_is_the_release_with_its_answers_and_no_path_of_this_machine(
    texts, real_course
):
    assignment = unpacked(texts["assignment"])
    released = real_course.released(real_course.module("08_optimizers"))
    assert assignment.release == released.read_bytes()
    assert assignment.seed == 8 and assignment.answers and not assignment.isolation
    limits = assignment.config["ExecuteSubmission"]
    assert limits["isolation"] == "user" and not limits["secret_folders"] and not limits["fonts"]
    # (600 s of the host - 60) / 4, since a submission may take four times as long by the clock.
    assert limits["submission_timeout"] == 135


def test_no_index_and_no_folder_of_this_machine_is_named(texts):
    for name in ("setup.sh", "run_autograder", "requirements.txt", "options.json"):
        text = texts[name].decode()
        assert "://" not in text and "index" not in text and str(ROOT) not in text, name


def test_what_the_instructor_decides_stands_in_the_zip(texts):
    assert Options(**json.loads(texts["options.json"])) == Options("visible", "after_due_date")


def test_without_a_release_there_is_no_zip(tito, course):
    answer = tito("autograder", "second")
    assert answer.returncode == 1
    assert "tito release 02_second" in answer.stderr
    assert not (course.root / "build" / "autograders").exists()


def test_an_unknown_visibility_is_wrong_use(tito):
    assert tito("autograder", "second", "--visibility", "sometimes").returncode == 2
