"""The page of flags, from records made by hand."""

import base64
import hashlib
import html
import re

import pytest

from tests.tito.flags.pages import write_page
from tito.pages import POLICY, evidence


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("course")).read_text()


def test_the_heaviest_stand_first(page):
    rows = re.findall(r"<tr data-kinds.*?</tr>", page, re.DOTALL)
    cells = [re.sub(r"\s*<[^>]*>\s*", "|", row).strip("|") for row in rows]
    assert [re.sub(r"\|+", "|", row) for row in cells] == [
        "knows|fails on fresh inputs, the notebook|6|2|0",
        "snoops|suspicious code|4|3|0",
        "ann|near-identical work|3|1|0",
        "bob|near-identical work|3|1|0",
        "renames|the notebook|1|1|0",
    ]
    assert re.findall(r"<h2>(\w+)</h2>", page) == ["knows", "snoops", "ann", "bob", "renames"]


def test_no_script_runs_but_ours(page):
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert html.unescape(policy) == f"{POLICY}; script-src 'sha256-{digest}'"


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("right on the public inputs, wrong on fresh ones: test-sgd, a", "fresh"),
        ("runs a shell command (sgd-class, line 3 and 2 more): !ls", "code"),
        ("could not be scanned, because it is nested too deeply (sgd-class)", "code"),
        ("and 7 more suspicious lines in the student's code", "code"),
        ("nearly the course's own solution: sgd-class", "alike"),
        ("locked cell edited: test-sgd", "other"),
    ],
)
def test_a_flag_is_of_a_kind(flag, kind):
    assert evidence.kind_of(flag).name == kind
