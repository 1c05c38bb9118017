"""What a page takes time for: hostile texts are shown as they are, honest ones are rendered."""

import time
from collections.abc import Callable

import pytest

from tito.pages import bounds, clean
from tito.pages.bounds import Allowance, is_light, is_light_code

NOTE = "stands here as it was written"
#: Processor time that a text may take at most; the worst that is known takes a sixth of it.
SECONDS = 6.0


def heaviest(pattern: str, limit: int, light: Callable[[str], bool] = lambda text: True) -> str:
    """Return the longest text of a pattern that is rendered, nearly."""
    text = "".join(pattern.replace("%d", str(i)) for i in range(limit // len(pattern) + 1))[:limit]
    while not light(text):
        text = text[: len(text) * 9 // 10]
    return text


def in_order(name: str, inner: str) -> str:
    """Nest open tags as deep as is orderly, with as many tags within as are orderly."""
    depth = bounds.MOST_DEPTH - 2
    tags = "".join(f"<{name} id={i}>" for i in range(depth))
    fill = inner * ((bounds.MOST_ORDERLY_TAGS - 2 * depth - 2) // inner.count("<"))
    return f"<p>{tags}{fill}{f'</{name}>' * depth}</p>"


#: What took longest of some fifty patterns, or did before there were bounds.
HTML = ["<div>", "<b>", "<b id=%d>", "<b id=%d><p>", "<table><tr><b id=%d>", "<a><b>", "&"]
MARKDOWN = ["\\begin{align}", "\\\\(", "\\\\[", "$$a", "[a](", "> ", "|-|\n", "<", "<b id=%d><p>"]
CODE = ["\n", "(", "a.", "@", "a*b*", " " * bounds.LONGEST_GAP + "a"]
ORDERLY = ["<p>x</p>", "<b></b>", "<table></table>", "<li></li>"]
HOSTILE = [
    *((clean.clean_html, heaviest(pattern, bounds.MOST_HTML, is_light)) for pattern in HTML),
    *((clean.markdown, heaviest(pattern, bounds.MOST_MARKDOWN)) for pattern in MARKDOWN),
    *((clean.python, heaviest(pattern, bounds.MOST_CODE, is_light_code)) for pattern in CODE),
    *((clean.clean_html, in_order("b", inner)) for inner in ORDERLY),
]


@pytest.mark.parametrize(("show", "text"), HOSTILE, ids=[text[:20] for _, text in HOSTILE])
def test_no_text_takes_long(show, text):
    start = time.process_time()
    show(text)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("inner", ORDERLY)
def test_tables_in_order_are_rendered_whole(inner):
    html = in_order("b", inner)
    assert is_light(html) and html.count("<") > bounds.MOST_ORDERLY_TAGS - 10


@pytest.mark.parametrize(
    ("show", "source"),
    [
        (clean.clean_html, "<div>" * 16_000 + "the end & all"),
        (clean.markdown, "\\begin{a}" * 8_000 + "the end & all"),
        (clean.markdown, "<b><p>" * 1_000 + "the end & all"),
        (clean.python, " \n" * 1_000 + "the end & all"),
    ],
)
def test_shows_oversized_text_unrendered(show, source):
    page = show(source, allowance=Allowance(longest=10**6))
    assert NOTE in page and "the end &amp; all</pre>" in page
    assert page.count("&lt;") == source.count("<")


def test_honest_tables_answers_and_code_are_rendered():
    row = "    <tr>\n" + "      <td>0.123456</td>\n" * 15 + "    </tr>\n"
    style = "<style scoped>\n    .dataframe tbody tr th { vertical-align: top; }\n</style>"
    table = f'<div>\n{style}\n<table border="1" class="dataframe">\n{row * 60}</table>\n</div>'
    assert NOTE not in clean.clean_html(table) and "<td>" in clean.clean_html(table)
    answer = "The *first* moment, $m_t = \\beta_1 m_{t-1}$, is a mean.\n\n- `m` is 0 at first\n\n"
    assert NOTE not in clean.markdown(answer * 100) and "<em>" in clean.markdown(answer * 100)
    code = "def step(self):\n    self.t += 1\n\n\n" * 1_000
    assert is_light_code(code) and NOTE not in clean.python(code)


@pytest.mark.parametrize(
    "piece",
    [
        *("<b>", "</b>", "<b></i>", "<b><i></b></i>", "<!--<b>--></b>", "<b x='<'></b>", "<b/>"),
        *("<b <b></b>", "a < b", "<div>" * 30 + "</div>" * 30),
    ],
)
def test_many_tags_must_be_in_order(piece):
    assert not is_light("<i>x</i>" * bounds.MOST_TAGS + piece)


def test_plain_tags_are_in_order():
    tags = "<p class=\"a\" id='b' data-x=1 hidden>x<br><img src=x /></p>"
    assert is_light(tags * bounds.MOST_TAGS)


def test_shows_text_unrendered_after_time_budget():
    allowance = Allowance(seconds=1e-9)
    assert "<em>" in clean.markdown("*a*", None, allowance)
    assert f"{NOTE}.</p><pre>*a*</pre>" in clean.markdown("*a*", None, allowance)


def test_a_page_has_room_for_so_many_characters():
    allowance = Allowance(longest=6, characters=10)
    assert allowance.cut("1234567") == "123456\n... 1 characters more"
    assert allowance.cut("1234") == "1234"
    assert allowance.cut("12") == "\n... 2 characters more"
