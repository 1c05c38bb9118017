"""Gradescope's metadata, as it writes them and as nobody should."""

from datetime import UTC, datetime
from functools import partial
from io import BytesIO

import pytest

from tito.errors import TitoError
from tito.submission.archive import Entry
from tito.submission.gradescope import read_metadata


def read(text: str):
    data = text.encode()
    return read_metadata(Entry("x/submission_metadata.yml", len(data), partial(BytesIO, data)))


def test_yaml_values_stay_text():
    said = """\
submission_1: !ruby/object:Submission
  :submitters:
  - :name: &name Ada L.
    :sid: 0012
    :email: ~
  - :name: *name
    :sid: 1e3
    :email:
  :created_at: 2026-11-20 14:22:32.365935000 -07:00
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess {tests: []}
submission_2:
  :created_at: 2026-02-31
"""
    found = read(said)
    assert found["submission_1"].submitters == (
        {"name": "Ada L.", "sid": "0012", "email": ""},
        {"name": "Ada L.", "sid": "1e3", "email": ""},
    )
    assert found["submission_1"].when == datetime(2026, 11, 20, 21, 22, 32, 365935, UTC)
    assert (found["submission_2"].submitters, found["submission_2"].when) == ((), None)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "lists no submissions"),
        ("a: 1", "'a' is not a submission"),
        ("{[a]: {}}", "unhashable key"),
        ("a: {':submitters': 1}", "submitters of 'a' are not a list"),
        ("a: {':submitters': [1]}", ":name of 'a' is not a short text"),
        ("a: {':submitters': [{':sid': [1]}]}", ":sid of 'a' is not a short text"),
        ("a: {':created_at': {}}", ":created_at of 'a' is not a short text"),
        ("a: &a {':submitters': [*a]}", "the alias 'a' stands for more than a text"),
        ("a: {b: &b [1, 2], ':submitters': *b}", "the alias 'b' stands for more than a text"),
        ("a: " + "[" * 60 + "]" * 60, "nested too deep or too large"),
        ("a: [", "expected (the )?node content"),
        ("a: \x01", "characters are not allowed"),
    ],
)
def test_unexpected_yaml_is_refused(said, reason):
    with pytest.raises(TitoError, match=f"(?s)not Gradescope's metadata .*{reason}"):
        read(said)
