"""Near-identical solutions of different students, for a person to look at.

Solutions are compared by their fingerprints; what the reference has too does not count. Pairs that
can be similar at all are found by their rarest fingerprints [1]_, so that a class of thousands
takes seconds.

References
----------
.. [1] R. J. Bayardo, Y. Ma, R. Srikant. Scaling up all pairs similarity search. WWW 2007.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from tito.flags.fingerprints import fingerprints
from tito.text import excerpt

#: A cell with fewer fingerprints of its own is too small to say anything.
FEWEST = 25
#: A fragment that more students share weighs less, in proportion.
COMMON = 4
_LINES_SHOWN = 4


@dataclass(frozen=True)
class Match:
    """Solutions of a cell that are nearly the same."""

    #: In alphabetical order: two or more, each similar to another of them; one where a solution
    #: is the reference's.
    students: tuple[str, ...]
    cell: str
    #: The share of fingerprints in common, of the weakest link that holds the students together.
    score: float
    #: Lines of the first two students (or of the student and the reference) that are the same but
    #: for names, each with its number.
    evidence: tuple[tuple[str, str], ...]

    @property
    def is_reference(self) -> bool:
        """Whether a solution is the reference's."""
        return len(self.students) == 1


Sources = Mapping[str, str]


def similar(
    submissions: Mapping[str, Sources], reference: Sources, threshold: float = 0.85
) -> list[Match]:
    """Find students whose solutions of a cell are nearly the same.

    Parameters
    ----------
    submissions : dict of dict of str
        Sources by student and grade_id. Cells that do not parse are passed over.
    reference : dict of str
        The sources, by grade_id, of what everyone may have: the reference, whose own
        fragments do not count. A stub has nothing that counts.
    threshold : float
        The least share of fingerprints in common, of all that either solution has.

    Returns
    -------
    list of Match
        The most similar first. Students who are linked by others are one match.
    """
    matches: list[Match] = []
    common = max(COMMON, len(submissions) / 50)
    for cell in sorted({cell for sources in submissions.values() for cell in sources}):
        given = fingerprints(reference.get(cell, "")).keys()
        alike: dict[frozenset[int], list[str]] = defaultdict(list)
        for student in sorted(submissions):
            own = fingerprints(submissions[student].get(cell, "")).keys() - given
            if len(own) >= FEWEST:
                alike[frozenset(own)].append(student)
        for students, score in _grouped(_links(alike, threshold, common)):
            first, second = (submissions[student][cell] for student in students[:2])
            evidence = _evidence(first, second, given)
            matches.append(Match(tuple(students), cell, round(score, 3), evidence))
    return sorted(matches, key=lambda match: (-match.score, match.cell, match.students))


def like_reference(
    submissions: Mapping[str, Sources], reference: Sources, threshold: float = 0.98
) -> list[Match]:
    """Find solutions that are nearly the reference's, which no student has.

    Parameters and results are those of :func:`similar`; a match has one student.
    """
    matches = []
    for cell, source in reference.items():
        original = fingerprints(source)
        if len(original) < FEWEST:
            continue
        for student in sorted(submissions):
            text = submissions[student].get(cell, "")
            score = _jaccard(fingerprints(text).keys(), original.keys())
            if score >= threshold:
                evidence = _evidence(text, source, set())
                matches.append(Match((student,), cell, round(score, 3), evidence))
    return matches


def _links(
    alike: Mapping[frozenset[int], list[str]], least: float, common: float
) -> Iterator[tuple[str, str, float]]:
    """Give pairs of students whose fingerprints are nearly the same, and how nearly.

    Of those who have the very same, each is paired with the first only.
    """
    frequency = Counter(mark for own, students in alike.items() for mark in own for _ in students)

    def is_distinctive(shared: frozenset[int]) -> bool:
        return sum(min(1.0, common / frequency[mark]) for mark in shared) >= FEWEST

    for own, (first, *others) in alike.items():
        if others and is_distinctive(own):
            yield from ((first, other, 1.0) for other in others)
    for one, other in _candidates(sorted(alike, key=len), frequency, least):
        score = _jaccard(one, other)
        if score >= least and is_distinctive(one & other):
            yield alike[one][0], alike[other][0], score


def _candidates(
    sets: list[frozenset[int]], frequency: Counter[int], least: float
) -> Iterator[tuple[frozenset[int], frozenset[int]]]:
    """Give the pairs that can be similar enough, of sets in the order of their sizes.

    Two sets of which the share `least` is common have one of their rarest elements in common:
    of n elements, one of the first n - ceil(least * n) + 1.
    """
    holders: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(sets):
        rarest = sorted(own, key=lambda mark: (frequency[mark], mark))
        seen: set[int] = set()
        for mark in rarest[: len(own) - math.ceil(least * len(own) - 1e-9) + 1]:
            seen.update(holders[mark])
            holders[mark].append(number)
        for other in sorted(seen):
            if len(sets[other]) >= least * len(own):
                yield sets[other], own


def _jaccard(one: Set[int], other: Set[int]) -> float:
    """Return the share of common elements of all that either set has."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


def _grouped(links: Iterator[tuple[str, str, float]]) -> Iterator[tuple[list[str], float]]:
    """Give the students who are linked with one another, and the score of their weakest link."""
    group_of: dict[str, tuple[list[str], list[float]]] = {}
    for one, other, score in links:
        students, scores = group_of.setdefault(one, ([one], []))
        joining, its_scores = group_of.setdefault(other, ([other], []))
        scores.append(score)
        if joining is not students:
            students += joining
            scores += its_scores
            group_of.update(dict.fromkeys(joining, (students, scores)))
    for students, scores in {id(group[0]): group for group in group_of.values()}.values():
        yield sorted(students), min(scores)


def _evidence(one: str, other: str, given: Set[int]) -> tuple[tuple[str, str], ...]:
    """Return pairs of lines that stand for the same, in the order of the first source."""
    first, second = fingerprints(one), fingerprints(other)
    shared = (first.keys() & second.keys()) - given
    pairs = sorted({first[mark]: second[mark] for mark in shared}.items())
    step = max(1, len(pairs) // _LINES_SHOWN)
    lines, others = one.splitlines(), other.splitlines()
    chosen = pairs[::step][:_LINES_SHOWN]
    return tuple((_line(lines, at), _line(others, there)) for at, there in chosen)


def _line(lines: list[str], number: int) -> str:
    text = lines[number - 1] if 0 < number <= len(lines) else ""
    return f"{number}: {excerpt(text)}"
