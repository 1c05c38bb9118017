"""The drawing of the packages shows every import, and each of them leads down."""

import importlib.util
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.tito.test_layers import LAYERS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def packages():
    spec = importlib.util.spec_from_file_location("packages", ROOT / "docs" / "packages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def closure(graph):
    found = {name: set(others) for name, others in graph.items()}
    for _ in graph:
        found = {
            name: set().union(more, *(found[one] for one in more)) for name, more in found.items()
        }
    return found


def test_all_packages_are_drawn_and_every_import_is_a_way_down(packages):
    graph = packages.imports()
    assert set(graph) == set(LAYERS) - {"__main__", "cli"}
    assert {"gradebook", "kernels", "scoring"} <= graph["autograde"]
    drawn = packages.lines(graph)
    assert closure(drawn) == closure(graph)
    places = {item: n for n, row in enumerate(packages.rows(drawn)) for item in row}
    for name, others in drawn.items():
        assert all(places[other] > places[name] for other in others)
    assert sum(isinstance(item, str) for item in places) == len(graph)


def test_a_line_that_follows_from_others_is_left_out(packages, tmp_path):
    for name, source in {
        "cli": "import tito.a",
        "a": "from tito import b\nfrom tito.c import x",
        "b": "import tito.c, os",
        "c": "global y",
    }.items():
        (tmp_path / f"{name}.py").write_text(source)
    graph = packages.imports(tmp_path)
    assert graph == {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert packages.lines(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}
    long = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": {"c"}, "e": {"c"}}
    assert packages.rows(long) == [["a", "e"], ["b", "d", ("e", "c")], ["c"]]


def test_the_drawing_says_what_each_is_for_and_needs_nothing_else(packages):
    drawing = BeautifulSoup(packages.drawing(), "html.parser")
    words = " ".join(text.get_text() for text in drawing.find_all("text"))
    for name in packages.imports():
        assert f"{name} {packages.purpose(name)}" in words
    assert {tag.name for tag in drawing.find_all()} == {"svg", "title", "rect", "path", "text"}
