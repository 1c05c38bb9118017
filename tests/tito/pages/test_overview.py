"""The page about a class, from rows and verdicts made by hand."""

import re
from collections import Counter

import pytest

from tests.tito.gradebook.test_platforms import ROWS, row
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import PartVerdict, Report
from tito.errors import TitoError
from tito.gradebook.scores import Row
from tito.pages import overview


def report(first=None, second=None, unfinished=False):
    """Return a verdict; what is given was got in place of the right answer."""
    return [
        Report(
            "test-sgd",
            5,
            tuple(
                PartVerdict(
                    *(name, f"Part {name} costs $5.", 2, 0 if got else 2),
                    got and Problem("w", "1", got),
                    *("Think.", unfinished),
                )
                for name, got in (("a", first), ("b", second))
            ),
        )
    ]


REPORTS = [report("2"), report("2", "0"), report("3"), report(), report("TODO", unfinished=True)]


def test_counts_parts_worst_first():
    worst, other = overview.parts_of(REPORTS)
    assert (worst.title, worst.judged, worst.failed, worst.unfinished) == (
        *("Part a costs $5.", 5, 4, 1),
    )
    assert worst.share == 0.8 and worst.answers == Counter({"2": 2, "3": 1})
    assert worst.common == ("2", 2)
    assert (other.failed, other.common) == (1, None)


def test_the_page_shows_the_class():
    rows = [*ROWS, row("<b>mallory</b>", flags=("locked cell edited: <i>",))]
    page = overview.render("08_optimizers", rows, REPORTS)
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))
    assert "graded 4" in text and "to mark by hand 1" in text and "could not be graded 1" in text
    assert "nothing handed in 1" in text and "late 1" in text
    assert "test-sgd 170 4 100.0 4 " in text and "question-1 30 3 20.0 3 " in text
    assert "&lt;b&gt;mallory&lt;/b&gt; locked cell edited: &lt;i&gt;" in text
    assert "test-sgd Part a costs $5. 2 4 / 5 1 2 2 times" in text
    assert "<script" not in page and "default-src &#39;none&#39;" in page


def test_draws_bars_of_totals_cells_and_parts():
    rows = [row(str(sgd), sgd=sgd, question=30.0) for sgd in (0.0, 84.0, 85.0, 170.0)]
    page = overview.render("m", rows, REPORTS)
    bins = re.findall(r'<div style="height: ([\d.]+)%"><span>(\d*)</span>', page)
    reached = {number: count for number, (_, count) in enumerate(bins) if count}
    assert len(bins) == 20 and reached == {3: "1", 11: "2", 19: "1"}
    assert [float(height) for height, count in bins if count] == [42.5, 85.0, 42.5]
    bands = re.findall(r'style="flex: (\d+)" title="([^"]+)"', page)
    assert bands == [
        *(("1", "nothing"), ("1", "under half"), ("1", "half or more"), ("1", "all")),
        ("4", "all"),
    ]
    shares = re.findall(r'"width: ([\d.]+)%"></span>(\d+) %', page)
    assert shares == [("64.0", "80"), ("16.0", "20")]


def test_page_without_any_mark():
    missing = Row("ada", "failed", {"test-sgd": None}, {"test-sgd": 5.0}, reason="no JSON")
    page = overview.render("m", [missing], [])
    assert "could not be graded" in page and "no JSON" in page and "<img" not in page


def test_without_submissions_there_is_no_page(course, module):
    with pytest.raises(TitoError, match="nobody handed in 08_optimizers; take .* 'tito collect'"):
        overview.write(course, module)


def test_the_page_is_written_beside_the_records(course, module, hand_in):
    hand_in("ada", "{")
    path = overview.write(course, module)
    assert path == course.records / module.name / "overview.html"
    assert "ada" in path.read_text() and "flags.html" not in path.read_text()
    path.with_name("flags.html").touch()
    assert 'href="flags.html"' in overview.write(course, module).read_text()
