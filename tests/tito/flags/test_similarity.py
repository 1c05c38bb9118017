import ast
import itertools
import random
import re
import textwrap
from pathlib import Path

import pytest

from tests.solutions.harness import assignments
from tests.solutions.wrong_ideas import right_solutions
from tito.flags import similarity
from tito.flags.fingerprints import fingerprints
from tito.flags.similarity import like_reference, similar

ROOT = Path(__file__).parents[3]
ADAM = "adam-class"


def independent() -> dict[str, dict[str, str]]:
    """Return the right solutions that are no edits of another: by cell, then by name."""
    found: dict[str, dict[str, str]] = {}
    for right in right_solutions():
        if not right.base:
            found.setdefault(right.cell, {})[right.name] = right.source
    return found


RIGHT = independent()
TEXT = RIGHT[ADAM]["counts_per_parameter_by_id"]


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return {n: each.cells[n].source for each in assignments() for n in each.solutions}


def score(one: str, other: str, reference: dict[str, str], cell: str = ADAM) -> float:
    """How similar two students' solutions of a cell are; 0 where no one would be told."""
    matches = similar({"ann": {cell: one}, "bob": {cell: other}}, reference)
    assert all(match.students == ("ann", "bob") and match.cell == cell for match in matches)
    return matches[0].score if matches else 0.0


def renamed(text: str, **names: str) -> str:
    for old, new in names.items():
        text, count = re.subn(rf"(?<!\w){old}(?!\w)", new, text)
        assert count
    return text


def methods_reversed(text: str) -> str:
    tree = ast.parse(text)
    tree.body[0].body.reverse()
    return ast.unparse(tree)


class _Nameless(ast.NodeTransformer):
    """Gives each variable, argument, attribute and method another name."""

    def generic_visit(self, node):
        super().generic_visit(node)
        for name in ("id", "attr", "arg", "name"):
            if isinstance(getattr(node, name, None), str):
                setattr(node, name, f"other_{getattr(node, name)}")
        return node


def without_names(text: str) -> str:
    return ast.unparse(_Nameless().visit(ast.parse(text)))


DISGUISES = {
    "nothing": TEXT,
    "variables and arguments": renamed(TEXT, p="weight", g="slope", key="number", first="a"),
    "attributes and self": renamed(TEXT, steps="how_often", self="this"),
    "attributes of the reference": renamed(TEXT, m="mean", v="square", parameters="weights"),
    "a library's name": "import numpy as num\n" + renamed(TEXT, np="num"),
    "the order of methods": methods_reversed(TEXT),
    "comments": re.sub(r"$", "  # mine", TEXT, flags=re.MULTILINE),
    "docstrings": re.sub(r"^(    def .*:)$", r'\1\n        """Mine."""', TEXT, flags=re.MULTILINE),
    "annotations": TEXT.replace("def step(self):", "def step(self: Any) -> None:").replace(
        "        self.t = 0", "        self.t: int = 0\n        self.u: float"
    ),
    "spaces, brackets and imports": "import math\n" + ast.unparse(ast.parse(TEXT)),
    "the spelling of numbers": TEXT.replace("self.t = 0", "self.t = 0.0"),
}


HELPER = RIGHT[ADAM]["tensors_and_comprehensions"]
SAYS = TEXT.replace("self.t += 1\n", "self.t += 1\n        print('step', self.t)\n")
COPIES = {
    **{disguise: (TEXT, copy) for disguise, copy in DISGUISES.items()},
    "the name of a helper": (HELPER, renamed(HELPER, _average="_mix", beta="share")),
    "what it says": (SAYS, renamed(SAYS, **{"'step'": "'now at'"})),
}


@pytest.mark.parametrize(("text", "copy"), COPIES.values(), ids=COPIES)
def test_finds_disguised_copy(text, copy, reference):
    assert score(text, copy, reference) == 1.0


@pytest.mark.parametrize("cell", ["sgd-class", "training-integration"])
def test_finds_copy_with_every_name_changed(cell, reference):
    for text in RIGHT[cell].values():
        if score(text, text, reference, cell):
            assert score(text, without_names(text), reference, cell) == 1.0


def test_other_constants_and_other_operations_count(reference):
    numbers = iter(range(2, 1_000))
    other = re.sub(r"\b[01]\b", lambda match: str(next(numbers)), TEXT)
    assert score(TEXT, other, reference) == 0.0
    assert score(TEXT, TEXT.replace(" * ", " + ").replace(" / ", " @ "), reference) == 0.0


@pytest.mark.parametrize("cell", RIGHT)
def test_independent_solutions_are_not_similar(cell, reference):
    submissions = {name: {cell: text} for name, text in RIGHT[cell].items()}
    # A few are the reference but for a method or two, by one author.
    for match in like_reference(submissions, reference, threshold=0.5):
        del submissions[match.students[0]]
    assert len(submissions) >= 5
    assert similar(submissions, reference, threshold=0.5) == []


def test_copies_of_the_reference_are_said_to_be_that(reference):
    submissions = {"ann": reference, "bob": {**reference, ADAM: TEXT}, "cyd": reference}
    assert similar(submissions, reference) == []
    found = like_reference(submissions, reference)
    by_cell = {cell: [m for m in found if m.cell == cell] for cell in (ADAM, "sgd-class")}
    assert {(m.students, m.score) for m in by_cell[ADAM]} == {(("ann",), 1.0), (("cyd",), 1.0)}
    assert {m.students for m in by_cell["sgd-class"]} == {("ann",), ("bob",), ("cyd",)}


def test_there_are_few_ways_to_write_a_small_cell(reference):
    small = "gradient-descent-function"
    assert small not in {match.cell for match in like_reference({"ann": reference}, reference)}
    for text in RIGHT[small].values():
        assert score(text, text, reference, small) == 0.0


def test_right_solutions_are_not_the_reference(reference):
    # One is, but for a method.
    for cell, texts in RIGHT.items():
        found = like_reference({name: {cell: t} for name, t in texts.items()}, reference)
        assert {match.students for match in found} <= {("best_overall_by_worst_place",)}


def test_a_stub_is_no_work_to_copy():
    stub = "class A:\n" + "".join(
        f"    def method_{number}(self, x):\n        raise NotImplementedError('TODO: {number}')\n"
        for number in range(50)
    )
    tokens_of_signatures = fingerprints(stub)
    assert similar({"ann": {"a": stub}, "bob": {"a": stub}}, {}) == []
    assert len(tokens_of_signatures) < similarity.FEWEST


def test_ignores_what_much_of_a_class_writes(reference):
    texts = list(RIGHT[ADAM].values())
    few = {f"student-{number}": {ADAM: TEXT} for number in range(8)}
    assert [len(match.students) for match in similar(few, reference)] == [8]
    many = {f"student-{number:02}": {ADAM: texts[number % 2]} for number in range(60)}
    assert similar(many, reference) == []


def test_linked_students_form_one_match(reference):
    steps = [TEXT]
    for number in range(5):  # each a little further from the first
        steps.append(steps[-1].replace("self.t += 1\n", f"self.t += 1\n        print({number})\n"))
    submissions = {f"student-{number}": {ADAM: text} for number, text in enumerate(steps)}
    submissions["other"] = {ADAM: RIGHT[ADAM]["zeros_lists_in_place"]}
    (match,) = similar(submissions, reference)
    assert match.students == tuple(f"student-{number}" for number in range(6))
    assert score(steps[0], steps[5], reference) < 0.85 <= match.score < 1.0


def test_the_most_similar_stand_first(reference):
    longer = TEXT.replace("        self.t += 1\n", "        self.t += 1\n        print(self.t)\n")
    other = RIGHT[ADAM]["fully_in_place_float32"]
    texts = {"ann": TEXT, "bob": longer, "cyd": other, "dan": other}
    found = similar({student: {ADAM: text} for student, text in texts.items()}, reference)
    assert [match.students for match in found] == [("cyd", "dan"), ("ann", "bob")]
    assert found[0].score > found[1].score


def test_the_evidence_is_lines_that_say_the_same(reference):
    copy = "\n\n" + renamed(TEXT, p="weight", g="slope")
    submissions = {"ann": {ADAM: TEXT}, "bob": {ADAM: copy}}
    (match,) = similar(submissions, reference)
    assert 2 <= len(match.evidence) <= 4
    for one, other in match.evidence:
        (at, text), (there, again) = one.split(": ", 1), other.split(": ", 1)
        assert int(there) == int(at) + 2
        assert text.startswith(TEXT.splitlines()[int(at) - 1].strip()[:40])
        assert again.startswith(copy.splitlines()[int(there) - 1].strip()[:40])


def test_evidence_has_no_control_characters(reference):
    text = re.sub(r"(?m)^( +self\..*)$", "\\1  # \x1b[2J" + "x" * 300, TEXT)
    (match,) = similar({"ann": {ADAM: text}, "bob": {ADAM: text}}, reference)
    assert all(line.isprintable() and len(line) < 90 for pair in match.evidence for line in pair)


HOSTILE = ["def", "x = 1\0", "\ud800", "-" * 100_000 + "1", "x" + ".x" * 30_000, "x = 1\n" * 10_000]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:5]))
def test_what_cannot_be_read_is_passed_over(text, reference):
    assert fingerprints(text) == {}
    assert score(text, text, reference) == 0.0


def test_odd_code_has_fingerprints():
    text = textwrap.dedent(
        """
        async def odd(x, *args, **rest):
            match x:
                case {"a": [1, *others], **more} if others:
                    return {**more, 'b': f"{x!r:>10}"}
                case Point(x=0) | None:
                    global y
                    y: int = 0x%s
            return [*args][1:None:2], lambda: (yield), x := 3
        """
    )
    assert len(fingerprints(text.replace("x := 3", "(z := 3)") % ("f" * 9_000))) > 10


class _Varied(ast.NodeTransformer):
    """Changes constants and adds statements, as if others had written it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def visit_Constant(self, node):
        if type(node.value) in (int, float) and self.random.random() < 0.3:
            node.value += self.random.randint(1, 9)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        for place in range(len(node.body), 0, -1):
            if self.random.random() < 0.3:
                more = f"x = [{self.random.randint(0, 99)}, {self.random.randint(0, 99)}]"
                node.body.insert(place, ast.parse(more).body[0])
        return node


def varied(text: str, seed: int) -> str:
    return ast.unparse(_Varied(seed).visit(ast.parse(text)))


def test_compares_class_in_less_than_quadratic_time(reference, monkeypatch):
    texts = list(RIGHT[ADAM].values())
    submissions = {
        f"student-{number:03}": {ADAM: varied(texts[number % len(texts)], number)}
        for number in range(300)
    }
    submissions["student-007"] = submissions["student-123"]
    compared = 0
    jaccard = similarity._jaccard

    def counted(one, other):
        nonlocal compared
        compared += 1
        return jaccard(one, other)

    monkeypatch.setattr(similarity, "_jaccard", counted)
    found = similar(submissions, reference)
    assert [match.students for match in found] == [("student-007", "student-123")]
    assert compared < 300 * 299 / 2 / 20


def test_no_similar_pair_is_missed(reference, monkeypatch):
    monkeypatch.setattr(similarity, "COMMON", 1_000)  # however many have it
    submissions = {f"student-{seed}": {ADAM: varied(TEXT, seed)} for seed in range(40)}
    threshold = 0.55
    found = similar(submissions, reference, threshold=threshold)
    given = fingerprints(reference[ADAM]).keys()
    own = {s: fingerprints(t[ADAM]).keys() - given for s, t in submissions.items()}
    pairs = [
        {one, other}
        for one, other in itertools.combinations(own, 2)
        if len(own[one] & own[other]) >= threshold * len(own[one] | own[other])
    ]
    assert pairs
    assert all(any(pair <= set(match.students) for match in found) for pair in pairs)
