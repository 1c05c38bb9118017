"""Whose file is which, where names of students and of their files could mislead."""

import io

import pytest

from tito.course.roster import Person, Roster
from tito.submission.archive import Entry
from tito.submission.schemes import SCHEMES, recognize

ROSTER = Roster(
    (
        Person("ann", "Ann", "Able", {"moodle": "101", "canvas": "11", "email": "ann@x.org"}),
        Person("bo", "Bo", "Baker", {"moodle": "102", "canvas": "12", "email": "bo@x.org"}),
        Person("jose", "José", "Müller", {"moodle": "105"}),
    )
)
WITHIN = "a/ableann_11_1_x/bakerbo_12_2_x.ipynb"
ANN, BO = "Ann Able_101_assignsubmission_file_", "Bo Baker_102_assignsubmission_file_"


def found(scheme, *names, metadata=b""):
    def opened(name):
        return lambda: io.BytesIO(metadata if name.endswith(".yml") else b"")

    entries = [
        Entry(name, len(metadata) if name.endswith(".yml") else 0, opened(name)) for name in names
    ]
    return SCHEMES[scheme](entries, ROSTER)


def owners(scheme, *names, **more):
    return [[person.student for person in file.people] for file in found(scheme, *names, **more)]


@pytest.mark.parametrize(
    ("scheme", "name"),
    [("moodle", "Ann Able_102_assignsubmission_file_/x.ipynb"), ("canvas", "ableann_12_9_x.ipynb")],
)
def test_contradictory_number_and_name_match_nobody(scheme, name):
    (file,) = found(scheme, name)
    assert (file.people, file.doubt) == ((), "its number and its name are those of bo and ann")


def test_gradescope_s_number_address_and_name_must_agree():
    metadata = b"""\
submission_1: {":submitters": [{":name": Ann Able, ":email": bo@x.org}]}
submission_2: {":submitters": [{":name": Ann Able, ":email": ann@x.org}]}
"""
    names = ("e/submission_metadata.yml", "e/submission_1/x.ipynb", "e/submission_2/x.ipynb")
    assert owners("gradescope", *names, metadata=metadata) == [[], ["ann"]]


def test_a_student_s_own_metadata_explains_nothing():
    names = [f"{ANN}/submission_metadata.yml", f"{ANN}/x.ipynb", f"{BO}/x.ipynb"]
    assert recognize([Entry(name, 0, None) for name in names]) == "moodle"


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        ("folders", ["ann/lab_1_2_final.ipynb", "bo/x.ipynb", "jose/x.ipynb"]),
        ("folders", [f"ann/{BO}x.ipynb", "bo/x.ipynb", "jose/x.ipynb"]),
        ("canvas", ["ableann_11_1_x.ipynb", "bakerbo_12_2_x.ipynb", "readme.ipynb"]),
        ("canvas", ["ableann_11_1_work.zip"]),
    ],
)
def test_one_file_does_not_decide_the_scheme(expected, names):
    assert recognize([Entry(name, 0, None) for name in names]) == expected


def test_stranger_in_common_folder_is_named():
    files = found("folders", "class/ann/x.ipynb", "class/strangr/x.ipynb")
    assert [file.owner for file in files] == ["ann", "strangr"]


@pytest.mark.parametrize(
    ("scheme", "names", "expected"),
    [
        # Common folders are ignored, and inner files belong to the owner.
        ("folders", ["class/ann/x.ipynb", "class/Bo Baker/x.ipynb"], [["ann"], ["bo"]]),
        ("folders", ["class/sub/ann/08/x.ipynb", "class/sub/nobody/08/x.ipynb"], [["ann"], []]),
        ("folders", ["ann/Bo Baker.ipynb", "adda/Bo Baker.ipynb"], [["ann"], []]),
        ("folders", ["A/ann.ipynb", "B/bo.ipynb.txt"], [["ann"], ["bo"]]),
        ("folders", ["bo/x.ipynb", "ann.ipynb"], [["bo"], ["ann"]]),
        ("folders", ["ann/x.ipynb", "ann/notes/bo/x.ipynb"], [["ann"], ["ann"]]),
        # A flat name sent again; a folder before a name.
        ("moodle", [f"{ANN}{ANN}x.ipynb"], [["ann"]]),
        ("moodle", [f"{ANN}/{BO}x.ipynb", f"{ANN}/{BO}/x.ipynb"], [["ann"], ["ann"]]),
        (
            "canvas",
            ["a/ableann_11_1_x/bakerbo_12_2_x.ipynb", "a/bakerbo_12_3_x.ipynb"],
            [["ann"], ["bo"]],
        ),
        ("canvas", [f"ableann_11_{'9' * 5000}_x.ipynb"], [[]]),
    ],
)
def test_whose_a_file_is(scheme, names, expected):
    assert owners(scheme, *names) == expected
