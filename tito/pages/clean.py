"""What a student wrote, made harmless: HTML, markdown, formulas, pictures, text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tito.pages.bounds import MOST_MARKDOWN, Allowance, is_light, is_light_code
from tito.pages.outputs import joined
from tito.text import without_colors

_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("br", "caption", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "img", "input", "p", "pre", "small", "span", "sub", "summary", "sup", "table"),
    *("tbody", "td", "tfoot", "th", "thead", "tr", "u"),
}


def _leads_to_a_page(tag: str, name: str, value: str) -> bool:
    """Let a link lead anywhere but into data, which a browser would show as a page of ours."""
    return name == "href" and not value.strip().lower().startswith(("data:", "attachment:"))


_ATTRIBUTES = {
    "*": ["class", "id", "style", "title"],
    "a": _leads_to_a_page,
    "img": ["alt", "src", "width", "height"],
    "input": ["checked"],
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
#: What bleach has written, in which `<` begins tags only: code, tags, and formulas between them.
_IN_A_TAG = r"""(?:"[^"]*"|'[^']*'|[^"'>])*"""
_PIECE = re.compile(
    rf"(?P<code><(?P<kind>code|pre)\b.*?</(?P=kind)>)|(?P<tag><{_IN_A_TAG}>)"
    r"|\$\$(?P<block>[^<]+?)\$\$|(?<![\\$])\$(?P<inline>[^\s$<](?:[^$\n<]*[^\s$\\<])?)\$"
    r"|(?P<environment>\\begin\{(?P<name>(?:equation|align|gather|multline|eqnarray)\*?"
    r"|split|aligned|cases|array|[pbBvV]?matrix)\}[^<]+?\\end\{(?P=name)\})",
    re.DOTALL,
)
_INPUT = re.compile(rf"<input\b{_IN_A_TAG}>")
_CHECKED = re.compile(r"\schecked(?=[\s=>])")
_ATTACHED = re.compile(r'(?<= src=")attachment:([^"]*)')
#: Jupyter numbers no equation; the converter does, unless it is told not to in its own words.
_NUMBERED = re.compile(r"(\\(?:begin|end))\{(?:align|aligned|eqnarray)\*?\}")
_FOR_NUMBERS = re.compile(r"\\label\{[^}]*\}|\\(?:nonumber|notag)(?![a-zA-Z])")
_LONGEST_FORMULA = 2_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


@cache
def _cleaner() -> bleach.Cleaner:
    return bleach.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols={*bleach.ALLOWED_PROTOCOLS, "data", "attachment"},
        css_sanitizer=_STYLES,
    )


def clean_html(element: str, allowance: Allowance | None = None) -> Markup:
    """Let through the HTML that tables, pictures and text need, and no script.

    nbconvert's filter of this name knows neither paragraphs nor table heads and shows their tags.
    """
    return rendered(str(element), _clean, is_light, allowance)


def markdown(source: str, attachments: Any = None, allowance: Allowance | None = None) -> Markup:
    """Render markdown; formulas become MathML, which browsers show without a script."""
    render = partial(_markdown, attachments=attachments)
    return rendered(source, render, lambda text: len(text) <= MOST_MARKDOWN, allowance)


def rendered(
    source: str,
    render: Callable[[str], str],
    light: Callable[[str], bool],
    allowance: Allowance | None = None,
) -> Markup:
    """Return what a renderer makes of a student's text, or the text where that is too much work.

    Parameters
    ----------
    source : str
        The text.
    render : callable
        Makes harmless HTML of it.
    light : callable
        Whether a text takes no more than a second.
    allowance : Allowance, optional
        Of the page, from which the time is taken.
    """
    allowance = allowance or Allowance()
    if allowance.seconds > 0 and light(source):
        try:
            with allowance.rendering():
                return Markup(render(source))  # noqa: S704 - it is the renderer's to clean
        except Exception:  # whatever three libraries make of a hostile text, it can be read
            pass
    return allowance.plain(source)


def _clean(element: str) -> str:
    return _INPUT.sub(_checkbox, _cleaner().clean(element))


def _checkbox(match: re.Match[str]) -> str:
    """Make of whatever asks for input the box of a task list, which nobody can tick."""
    checked = " checked" if _CHECKED.search(match[0]) else ""
    return f'<input type="checkbox" disabled{checked}>'


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, which leaves pictures that are attached to be put in at the end.

    Its own refuses a whole notebook for one that is not there, and knows none in HTML.
    """

    def _embed_image_or_attachment(self, src: str) -> str:
        return src


def _markdown(source: str, attachments: Any) -> str:
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    rendered_html = MarkdownWithMath(renderer=renderer).render(source)
    if not is_light(rendered_html):
        raise ValueError("too many tags, or too deep")
    pictures = attachments if isinstance(attachments, dict) else {}
    return _PIECE.sub(lambda match: _finished(match, pictures), _clean(rendered_html))


def _finished(match: re.Match[str], attachments: dict[str, Any]) -> str:
    """Put attached pictures into their tags, and formulas in the place of their LaTeX."""
    if match["code"]:
        return match[0]
    if match["tag"]:
        is_picture = match[0].startswith("<img ")
        return _ATTACHED.sub(partial(_attached, attachments), match[0]) if is_picture else match[0]
    return _formula(match)


def _attached(attachments: dict[str, Any], match: re.Match[str]) -> str:
    data = attachments.get(unquote(html.unescape(match[1])))
    return (isinstance(data, dict) and picture(data)) or ""


def _formula(match: re.Match[str]) -> str:
    """Return a formula as MathML, or as it was written where it is none."""
    display = "inline" if match["inline"] else "block"
    latex = html.unescape(match[display] or match["environment"])
    if len(latex) > _LONGEST_FORMULA:
        return match[0]
    latex = _NUMBERED.sub(r"\1{align*}", _FOR_NUMBERS.sub("", latex))
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


def python(source: str, allowance: Allowance | None = None) -> Markup:
    """Return a cell's code with colours."""
    return rendered(source, _coloured, is_light_code, allowance)


def _coloured(source: str) -> str:
    return highlight(source, PythonLexer(stripnl=False), _formatter())


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(cssclass="code")


@cache
def code_styles() -> Markup:
    """Return the style sheet that goes with :func:`python`."""
    return Markup(_formatter().get_style_defs(".code"))  # noqa: S704


def text(value: str, allowance: Allowance | None = None) -> str:
    """Return text as a terminal would show it, without colours, cut where it has no end."""
    return (allowance or Allowance()).cut(without_colors(value))


def picture(data: Mapping[str, Any]) -> str | None:
    """Return an output's picture as a link that holds it, or None where it has none."""
    for kind in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        content = joined(data.get(kind))
        if content is not None and _BASE64.fullmatch(content):
            return f"data:{kind};base64,{''.join(content.split())}"
    return None
