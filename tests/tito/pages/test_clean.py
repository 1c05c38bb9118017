"""What students write, made harmless and kept readable."""

import pytest

from tito.pages import clean


def test_formulas_become_mathml_and_code_stays():
    page = clean.markdown("If $w_1 < 2$, `$x$`:\n\n$$\\frac{m}{1-\\beta_1^t}$$\n\nfor $5 or $6.")
    assert "<msub><mi>w</mi><mn>1</mn></msub>" in page and "<mfrac>" in page
    assert "<code>$x$</code>" in page and "for $5 or $6." in page
    assert 'display="block"' in page


@pytest.mark.parametrize(
    "source",
    [
        r"$\href{javascript:alert(1)}{x}$",
        r"$x$<script>alert(1)</script>",
        "$<img src=x onerror=alert(1)>$",
        r"$\text{<img src=x onerror=alert(1)>}$",
        r"$\color{red;position:fixed}{x}$",
        "[x](javascript:alert(1)) [y](data:text/html;base64,AAAA)",
        '<p style="position:fixed; color:red">x</p>',
        "<svg onload=alert(1)>",
        "<math><mi href=javascript:alert(1)>x</mi></math>",
        "![x](data:text/html,alert)",
    ],
)
def test_nothing_that_acts_comes_through(source):
    page = clean.markdown(source)
    tags = [piece.split(">")[0] for piece in page.split("<")[1:]]
    for bad in ("script", "href=", "onerror", "position", "svg", "onload"):
        assert not [tag for tag in tags if bad in tag and not tag.startswith("a>")], page


@pytest.mark.parametrize("formula", [r"\frac{", r"\begin{matrix} a", "{" * 500, "x" * 3000])
def test_what_is_no_formula_stays_as_it_was_written(formula):
    assert f"${formula}$" in clean.markdown(f"${formula}$")


def test_drops_unknown_elements_from_formulas(monkeypatch):
    answer = '<math xmlns="http://www.w3.org/1998/Math/MathML"><annotation-xml/></math>'
    monkeypatch.setattr(clean, "convert", lambda latex, display: answer)
    assert "$x$" in clean.markdown("$x$")


def test_pictures_are_held_by_the_page_or_left_out():
    assert clean.picture({"image/png": "aGk=\n"}) == "data:image/png;base64,aGk="
    assert clean.picture({"image/png": ["aG", "k="]}) == "data:image/png;base64,aGk="
    assert clean.picture({"image/png": 'x" onerror="alert(1)'}) is None
    assert clean.picture({"image/gif": "aGk="}) == "data:image/gif;base64,aGk="
    assert clean.picture({"image/svg+xml": "<svg/>"}) is None


def test_text_is_plain_and_bounded():
    assert clean.text("\x1b[31mred\x1b[0m") == "red"
    assert clean.text("x" * 20_010).endswith("\n... 10 characters more")


def test_a_picture_in_html_is_the_attached_one():
    source = '<img alt="a>b" src="attachment:my plot.png" width=9> ![p](attachment:my%20plot.png)'
    page = clean.markdown(source, {"my plot.png": {"image/png": "aGk="}})
    held = "data:image/png;base64,aGk="
    assert page.count(f'src="{held}"') == 2 and 'width="9"' in page and "attach" not in page
    assert 'src=""' in clean.markdown(source, {"my plot.png": {"image/svg+xml": "PHN2Zz4="}})
    assert "attachment" not in clean.markdown('<img src="attachment:x.png" title="y">')
    assert "href" not in clean.markdown('<a href="attachment:x.html">x</a>')
    hostile = clean.markdown('<img src="attachment:x&quot; onerror=&quot;alert(1)">')
    assert hostile.strip() == '<img src="">'


ALIGNED = r"a &= b \\" + "\n" + r"c &= d"


@pytest.mark.parametrize(
    "source",
    [
        f"\\begin{{align}}\n{ALIGNED} \\label{{eq}} \\nonumber\n\\end{{align}}",
        f"so \\begin{{align*}}{ALIGNED}\\end{{align*}} holds",
        f"$$\\begin{{aligned}}{ALIGNED}\\end{{aligned}}$$",
        f"\\begin{{equation}}\\begin{{split}}{ALIGNED}\\end{{split}}\\end{{equation}}",
        f"<div>\n\\begin{{align}}{ALIGNED}\\end{{align}}\n</div>",
    ],
)
def test_renders_environments_unnumbered(source):
    page = clean.markdown(source)
    assert page.count("<mtr>") == 2 and page.count("<mi>") == 4
    assert 'display="block"' in page and "(1)" not in page and "\\" not in page
    other = r"\begin{itemize}\item x\end{itemize}"  # is kept
    assert other in clean.markdown(other) and f"<code>{other}" in clean.markdown(f"`{other}`")


def test_a_task_list_has_boxes_that_nobody_can_tick():
    page = clean.markdown("- [x] done\n- [ ] **open**")
    assert page.count("<input") == 2
    assert '<input type="checkbox" disabled checked>done' in page
    assert '<input type="checkbox" disabled><strong>open</strong>' in page


@pytest.mark.parametrize("render", [clean.markdown, clean.clean_html])
def test_whatever_asks_for_input_is_such_a_box(render):
    hostile = '<input type="image" src="x" title="a>b" onclick="y" formaction="z" autofocus>'
    assert render(hostile).strip("\n") == '<input type="checkbox" disabled>'


def test_no_formula_is_put_into_a_tag():
    page = clean.markdown('<p title="$x$ and $\\begin{align}x\\end{align}$">$y$</p>')
    assert page.count("<math") == 1 and 'title="$x$ and' in page
