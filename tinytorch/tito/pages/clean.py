"""What a student wrote, made harmless: HTML, markdown, formulas, pictures, text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.etree import ElementTree

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("br", "caption", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "img", "p", "pre", "small", "span", "sub", "summary", "sup", "table", "tbody"),
    *("td", "tfoot", "th", "thead", "tr", "u"),
}


def _leads_to_a_page(tag: str, name: str, value: str) -> bool:
    """Let a link lead anywhere but into data, which a browser would show as a page of ours."""
    return name == "href" and not value.strip().lower().startswith("data:")


_ATTRIBUTES = {
    "*": ["class", "id", "style", "title"],
    "a": _leads_to_a_page,
    "img": ["alt", "src"],
}
_STYLES = CSSSanitizer(
    allowed_css_properties=[*ALLOWED_CSS_PROPERTIES, "border-collapse", "margin", "padding"]
)
_MATH_TAGS = frozenset(
    "math mrow mi mn mo mtext mfrac msqrt mroot msub msup msubsup mover munder munderover mtable "
    "mtr mtd mspace mstyle mpadded mphantom menclose".split()
)
_MATH_ATTRIBUTES = frozenset(
    "display mathvariant stretchy fence separator accent lspace rspace minsize maxsize width "
    "linethickness displaystyle scriptlevel columnalign movablelimits form notation".split()
)
_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_FORMULA = re.compile(
    r"\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$"
)
_CODE = re.compile(r"(<(?:code|pre)\b.*?</(?:code|pre)>)", re.DOTALL)
_LONGEST_FORMULA = 2_000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_MAX_TEXT = 20_000


@cache
def _cleaner() -> bleach.Cleaner:
    return bleach.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols={*bleach.ALLOWED_PROTOCOLS, "data"},
        css_sanitizer=_STYLES,
    )


def clean_html(element: str) -> str:
    """Let through the HTML that tables, pictures and text need, and no script.

    nbconvert's filter of this name knows neither paragraphs nor table heads and shows their tags.
    """
    return _cleaner().clean(str(element))


def markdown(source: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Render markdown; formulas become MathML, which browsers show without a script."""
    renderer = IPythonRenderer(escape=False, attachments=dict(attachments or {}))
    cleaned = clean_html(MarkdownWithMath(renderer=renderer).render(source))
    pieces = _CODE.split(cleaned)
    pieces[::2] = [_FORMULA.sub(_formula, piece) for piece in pieces[::2]]
    return Markup("".join(pieces))  # noqa: S704 - cleaned above


def _formula(match: re.Match[str]) -> str:
    """Return a formula as MathML, or as it was written where it is none."""
    display = "block" if match["block"] else "inline"
    latex = html.unescape(match[display])
    if len(latex) > _LONGEST_FORMULA or "<" in match[display]:
        return match[0]
    try:
        root = ElementTree.fromstring(convert(latex, display=display))
    except Exception:  # whatever the converter makes of what a student calls a formula
        return match[0]
    for element in root.iter():
        # LaTeX has commands for links and styles, and a converter may know more than we do.
        element.tag = element.tag.removeprefix(_MATHML)
        if element.tag not in _MATH_TAGS:
            return match[0]
        for name in set(element.attrib) - _MATH_ATTRIBUTES:
            del element.attrib[name]
    return ElementTree.tostring(root, encoding="unicode")


def python(source: str) -> Markup:
    """Return a cell's code with colours."""
    return Markup(highlight(source, PythonLexer(stripnl=False), _formatter()))  # noqa: S704


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(cssclass="code")


@cache
def code_styles() -> Markup:
    """Return the style sheet that goes with :func:`python`."""
    return Markup(_formatter().get_style_defs(".code"))  # noqa: S704


def text(value: Any) -> str:
    """Return text as a terminal would show it, without colours, cut where it has no end."""
    joined = "".join(value) if isinstance(value, list) else str(value)
    plain = _ANSI.sub("", joined)
    if len(plain) <= _MAX_TEXT:
        return plain
    return f"{plain[:_MAX_TEXT]}\n... {len(plain) - _MAX_TEXT} characters more"


def picture(data: Mapping[str, Any]) -> str | None:
    """Return an output's picture as a link that holds it, or None where it has none."""
    for kind in ("image/png", "image/jpeg"):
        content = data.get(kind)
        content = "".join(content) if isinstance(content, list) else content
        if isinstance(content, str) and _BASE64.fullmatch(content):
            return f"data:{kind};base64,{''.join(content.split())}"
    return None
