"""For pages on how it is built: the directive `packages`, and names in tables that may break.

The drawing is made from the imports: what imports stands above what is imported. A line that
follows from others is left out: whoever imports the gradebook stands above the course already.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

TOOLS = Path(__file__).resolve().parents[1] / "tito"
#: Sizes of a box, of the space beside and below it, and of a line that passes between boxes.
_WIDTH, _GAP, _DROP, _PASSING = 196, 16, 30, 20
#: Of text in a box: where it begins, the heights of its name and of a line, letters in a line.
_EDGE, _NAME, _LINE, _LETTERS = 10, 30, 14, 30

Graph = Mapping[str, set[str]]
#: A package, or a line that passes, by its ends.
Item = str | tuple[str, str]
Row = list[Item]


def imports(tools: Path = TOOLS) -> dict[str, set[str]]:
    """Return what each package, and each module beside them, imports of the others.

    ``cli`` is none of them: it loads a command by its name when it is called.
    """
    paths = [path for path in tools.glob("[!_]*") if path.suffix == ".py" or path.is_dir()]
    paths.remove(tools / "cli.py")
    found = {path.stem: set(_imported(path)) for path in sorted(paths)}
    return {name: others & found.keys() - {name} for name, others in found.items()}


def _imported(path: Path) -> Iterator[str]:
    for file in path.rglob("*.py") if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                start = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                names = [start + alias.name for alias in node.names]
                yield from (name.split(".")[1] for name in names if name.startswith("tito."))


def purpose(name: str) -> str:
    """Return the first sentence of a package's docstring, or a module's."""
    package = TOOLS / name / "__init__.py"
    path = package if package.is_file() else TOOLS / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(?:\s|$)", " ".join(text.split()))[0]


def lines(graph: Graph) -> dict[str, set[str]]:
    """Return the imports that follow from no others."""

    @cache
    def below(name: str) -> frozenset[str]:
        return frozenset(graph[name]).union(*(below(other) for other in graph[name]))

    return {
        name: {one for one in others if not any(one in below(other) for other in others)}
        for name, others in graph.items()
    }


def rows(drawn: Graph) -> list[Row]:
    """Return what stands side by side, from the top: packages, and lines that pass between them."""

    @cache
    def level(name: str) -> int:
        return 1 + max((level(one) for one, others in drawn.items() if name in others), default=-1)

    made: list[Row] = [[] for _ in range(max(map(level, drawn)) + 1)]
    for name, others in drawn.items():
        made[level(name)].append(name)
        for other in others:
            for passed in range(level(name) + 1, level(other)):
                made[passed].append((name, other))
    for above, row in zip(made, made[1:], strict=False):
        # Below what imports it, on average: lines then cross as little as is possible.
        place = {item: number / len(above) for number, item in enumerate(above)}
        row.sort(key=lambda item: (_middle(place, drawn, item), isinstance(item, tuple), str(item)))
    return made


def _middle(place: Mapping[Any, float], drawn: Graph, item: Item) -> float:
    if isinstance(item, tuple):
        sources = [item, item[0]]
    else:
        sources = [s for s in place if item in (drawn[s] if isinstance(s, str) else s[1:])]
    found = [place[source] for source in sources if source in place]
    return sum(found) / len(found)


def drawing() -> str:
    """Return the drawing as SVG."""
    drawn = lines(imports())
    made = rows(drawn)
    width = max(map(_row_width, made))
    centres = [_centres(row, (width - _row_width(row)) / 2) for row in made]
    parts, top = [], 0
    for row, centre, below in zip(made, centres, [*centres[1:], {}], strict=True):
        height = max(_NAME + _LINE * len(_words(item)) for item in row if isinstance(item, str))
        for item in row:
            if isinstance(item, str):
                parts.append(_box(item, centre[item] - _WIDTH / 2, top, height))
                ends = {other: item for other in sorted(drawn[item])}
            else:
                parts.append(_line(centre[item], top, centre[item], top + height))
                ends = {item[1]: item[0]}
            for other, source in ends.items():
                to = below[other] if other in below else below[source, other]
                parts.append(_line(centre[item], top + height, to, top + height + _DROP))
        top += height + _DROP
    return (
        f'<svg viewBox="-1 -1 {width + 2} {top - _DROP + 2}" role="img" font-size="12" '
        'style="max-width: 100%" fill="currentColor" font-family="sans-serif">'
        "<title>The packages of tito; lines lead down from a package to what it imports</title>"
        f"{''.join(parts)}</svg>"
    )


def _row_width(row: Row) -> int:
    return sum(map(_width, row)) + _GAP * (len(row) - 1)


def _width(item: Item) -> int:
    return _WIDTH if isinstance(item, str) else _PASSING


def _centres(row: Row, left: float) -> dict[Item, float]:
    found = {}
    for item in row:
        found[item] = left + _width(item) / 2
        left += _width(item) + _GAP
    return found


def _line(x: float, y: float, to: float, down: float) -> str:
    middle = (y + down) / 2
    path = f"M{x:g} {y:g} C{x:g} {middle:g} {to:g} {middle:g} {to:g} {down:g}"
    return f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.6"/>'


def _words(name: str) -> list[str]:
    return wrap(purpose(name), _LETTERS)


def _box(name: str, left: float, top: float, height: float) -> str:
    x = f'x="{left + _EDGE:g}"'
    words = "".join(
        f'<text {x} y="{top + _NAME + 6 + _LINE * number:g}" font-size="11">{escape(line)}</text>'
        for number, line in enumerate(_words(name))
    )
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{_WIDTH}" height="{height}" rx="5" '
        'fill="none" stroke="currentColor"/>'
        f'<text {x} y="{top + 19:g}" font-weight="bold">{name}</text>{words}'
    )


class Packages(SphinxDirective):
    """Puts the drawing into a page."""

    def run(self) -> list[nodes.Node]:
        """Return it as HTML."""
        for path in TOOLS.rglob("*.py"):
            self.env.note_dependency(str(path))
        return [nodes.raw("", drawing(), format="html")]


class BreakNames(SphinxPostTransform):
    """Lets names in tables break behind a stroke, a colon or an underscore: tests' are long."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Replace them by HTML of the same look."""
        if self.app.builder.format == "html":
            entries = self.document.findall(nodes.entry)
            for literal in [one for entry in entries for one in entry.findall(nodes.literal)]:
                text = re.sub(r"(/|::|_)(?=\w)", r"\1<wbr>", escape(literal.astext()))
                code = f'<code class="docutils literal notranslate">{text}</code>'
                literal.replace_self(nodes.raw("", code, format="html"))


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("packages", Packages)
    app.add_post_transform(BreakNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
