"""Where the overview of a class is written, and when it is not."""

import pytest

from tito.errors import TitoError
from tito.pages import overview


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
