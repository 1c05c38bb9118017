"""How much of what a student wrote a page takes time and room for.

The libraries that render HTML, markdown and code take time that grows with the square of a text
or worse, and they run in the process of whoever grades. So a text is rendered only where it is
known to be light, and a page only so long; everything else is shown as the text that it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from markupsafe import Markup

#: Characters of a text that are rendered; the worst of each length takes about half a second.
MOST_MARKDOWN, MOST_HTML, MOST_CODE = 10_000, 50_000, 100_000
#: Tags of HTML that is rendered whatever they are; of orderly HTML, which tables are, and how
#: deep these may be. An open tag is repeated in each block that follows, so that depth is dear.
MOST_TAGS, MOST_ORDERLY_TAGS, MOST_DEPTH = 250, 3_000, 20
#: White space in a row, for which the rules of Python's highlighter take time as its square.
LONGEST_GAP = 300
#: Output is cut here, since it is no one's answer.
LONGEST_TEXT = 20_000

_NOTE = "This is too long or too complex to be rendered, and stands here as it was written."
_GAP = re.compile(r"\s+")
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)"
    r"(?:[ \t\n\r]+[\w:.-]+(?:=(?:\"[^\"<]*\"|'[^'<]*'|[^ \t\n\r\"'<>=`]+))?)*[ \t\n\r]*/?>",
    re.ASCII,
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Allowance:
    """What may still be spent on a page."""

    #: Characters of a text that are shown where it cannot be rendered.
    longest: int = LONGEST_TEXT
    #: Characters of all texts that are shown so, and of the outputs.
    characters: int = 1_000_000
    #: Processor time for rendering; an honest notebook takes a tenth of it.
    seconds: float = 3.0

    @contextmanager
    def rendering(self) -> Iterator[None]:
        """Count the time that the block takes."""
        start = time.process_time()
        try:
            yield
        finally:
            self.seconds -= time.process_time() - start

    def cut(self, text: str) -> str:
        """Return a text, or as much of it as there is room for and how much that leaves out."""
        room = min(self.longest, max(0, self.characters))
        self.characters -= min(len(text), room)
        if len(text) <= room:
            return text
        return f"{text[:room]}\n... {len(text) - room} characters more"

    def plain(self, source: str) -> Markup:
        """Return a text as it was written, with a note that says why."""
        return Markup('<p class="note">{}</p><pre>{}</pre>').format(_NOTE, self.cut(source))


def is_light(html: str) -> bool:
    """Whether HTML has few tags, or many that are closed in order and not deeply nested."""
    tags = html.count("<")
    if len(html) > MOST_HTML or tags > MOST_ORDERLY_TAGS:
        return False
    return tags <= MOST_TAGS or _is_orderly(html, tags)


def _is_orderly(html: str, tags: int) -> bool:
    """Whether each ``<`` begins a plain tag, and each tag is closed before what it stands in."""
    still_open: list[str] = []
    for match in _TAG.finditer(html):
        tags -= 1
        name = match["name"].lower()
        if name in _VOID:
            continue
        if not match["end"]:
            still_open.append(name)
        elif not still_open or still_open.pop() != name:
            return False
        if len(still_open) > MOST_DEPTH:
            return False
    return not tags and not still_open


def is_light_code(source: str) -> bool:
    """Whether code is not long, and without long gaps."""
    return len(source) <= MOST_CODE and all(len(gap) <= LONGEST_GAP for gap in _GAP.findall(source))
