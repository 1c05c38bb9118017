"""The directive `packages`: the packages of the tools as a drawing, made from their imports."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

TOOLS = Path(__file__).resolve().parents[1] / "tito"
_ROW, _WIDTH, _LEFT = 34, 900, 210


def imports() -> dict[str, set[str]]:
    """Return what each package of the tools imports of the others."""
    packages = {path.parent.name for path in TOOLS.glob("*/__init__.py")}
    found: dict[str, set[str]] = {name: set() for name in packages}
    for name in packages:
        for path in (TOOLS / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                    found[name] |= {one.split(".")[1] for one in names if one.startswith("tito.")}
        found[name] &= packages - {name}
    return found


def purpose(package: str) -> str:
    """Return the first line of a package's docstring."""
    text = (TOOLS / package / "__init__.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]


def drawing() -> str:
    """Return the drawing as SVG: what imports stands above what is imported."""
    graph = imports()
    order = list(
        TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order()
    )[::-1]
    middle = {name: _ROW * (number + 0.5) for number, name in enumerate(order)}
    lines, boxes = [], []
    for name, others in graph.items():
        for other in others:
            low, high = middle[other], middle[name]
            bend = _LEFT - 10 - (low - high) / _ROW * 13
            path = f"M{_LEFT} {high} C{bend} {high} {bend} {low} {_LEFT} {low}"
            lines.append(f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.3"/>')
    for name in order:
        y = middle[name]
        boxes.append(
            f'<rect x="{_LEFT}" y="{y - 14}" width="{_WIDTH - _LEFT - 2}" height="28" rx="4" '
            'fill="none" stroke="currentColor"/>'
            f'<text x="{_LEFT + 10}" y="{y + 5}" font-weight="bold">{name}</text>'
            f'<text x="{_LEFT + 110}" y="{y + 5}">{escape(purpose(name))}</text>'
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_ROW * len(order)}" role="img" font-size="13" '
        'style="max-width: 100%" fill="currentColor" font-family="sans-serif">'
        f"<title>The packages of tito; lines lead from a package to what it imports</title>"
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


class Packages(SphinxDirective):
    """Puts the drawing into a page."""

    def run(self) -> list[nodes.Node]:
        """Return it as HTML."""
        for path in TOOLS.rglob("*.py"):
            self.env.note_dependency(str(path))
        return [nodes.raw("", drawing(), format="html")]


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("packages", Packages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
