"""What is said of a class whose solutions were compared."""

from tito.flags.classmates import Comparison
from tito.flags.similarity import Match

CLASS = [f"student-{number}" for number in range(8)]


def reference(cell, *students):
    return [Match((student,), cell, 1.0, ()) for student in students]


def test_common_solution_is_one_class_flag():
    matches = (*reference("sgd", *CLASS[:4]), *reference("adam", *CLASS[:3]))
    compared = Comparison(8, matches)
    assert compared.flag_of_class() == (
        "nearly the course's own solution, in much of the 8 submissions: sgd (4)"
    )
    own = ["nearly the course's own solution: adam"]
    assert compared.flags() == dict.fromkeys(CLASS[:3], own)
    assert compared.notable() == list(matches[4:])


def test_fewer_are_named_one_by_one():
    compared = Comparison(9, tuple(reference("sgd", *CLASS[:4])))
    assert compared.flag_of_class() == "" and set(compared.flags()) == set(CLASS[:4])
    assert Comparison(3, tuple(reference("sgd", *CLASS[:3]))).flag_of_class() == ""


def test_always_flags_matches_between_students():
    pair = Match(("ann", "bob"), "sgd", 0.9, ())
    compared = Comparison(8, (pair, *reference("sgd", *CLASS)))
    assert compared.flags() == {
        "ann": ["nearly the same as bob: sgd"],
        "bob": ["nearly the same as ann: sgd"],
    }
