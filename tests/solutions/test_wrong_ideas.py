"""The loader of solutions says what to do about a table that is not right."""

import pytest

from tests.solutions.wrong_ideas import load_right, load_wrong

CELL = "# Goes down.\n#| export\ndef step(w):\n    g = 2 * w\n    w = w - g\n    return w\n"
IDEA = 'idea = "Goes up instead of down."\nloses = { test-a = 2 }\n'
WHERE = r"wrong/step\.toml, climbs: "


def loaded(folder, **files):
    """Write a right solution and files of wrong ones, load them, and return the wrong ones."""
    (folder / "right" / "step").mkdir(parents=True)
    (folder / "right" / "step" / "plain.py").write_text(CELL)
    for name, text in files.items():
        path = folder / "wrong" / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_wrong(folder / "wrong", load_right(folder / "right"))


def entry(edit, base="plain"):
    return f'[climbs]\nbase = "{base}"\n{IDEA}edit = [{edit}]\n'


def test_an_edit_replaces_what_it_finds(tmp_path):
    wrong = loaded(tmp_path, step=entry('["w - g", "w + g"]'))["step/climbs"]
    assert wrong.source == CELL.partition("\n")[2].replace("w - g", "w + g")
    assert (wrong.base, wrong.idea, wrong.loses) == (
        "plain",
        "Goes up instead of down.",
        {"test-a": 2},
    )


def test_dots_stand_for_the_lines_between(tmp_path):
    edit = "['''def step(w):\n...\n    return w''', 'step = abs']"
    assert loaded(tmp_path, step=entry(edit))["step/climbs"].source == "#| export\nstep = abs\n"


def test_what_stands_above_the_tables_holds_for_those_that_say_nothing_else(tmp_path):
    stays = "[stays]\nidea = 'Stays.'\nedit = [['w - g', 'w']]\n"
    climbs = f"[climbs]\n{IDEA}edit = [['- g', '+ g']]\n"
    found = loaded(tmp_path, step='base = "plain"\nloses = { test-a = 1 }\n' + stays + climbs)
    assert {name: wrong.loses["test-a"] for name, wrong in found.items()} == {
        "step/stays": 1,
        "step/climbs": 2,
    }


def test_a_whole_cell_needs_no_base(tmp_path):
    text = f"[climbs]\n{IDEA}cell = 'step = abs'\n"
    assert loaded(tmp_path, step__a=text)["step/climbs"].source == "step = abs"


def test_a_right_solution_may_be_an_edit(tmp_path):
    loaded(tmp_path)
    text = '[doubled]\nbase = "plain"\nidea = "Adds."\nedit = [["2 * w", "w + w"]]\n'
    (tmp_path / "right" / "step.toml").write_text(text)
    right = load_right(tmp_path / "right")
    assert (right["step/doubled"].base, right["step/plain"].base) == ("plain", "")
    assert "g = w + w" in right["step/doubled"].source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry('["w / g", ""]'), "once, got 0 times: 'w / g'; copy it from the base"),
        (entry('["g", ""]'), "once, got 2 times: 'g'; add the lines around it"),
        (entry("['''def step(w):\n...\n    pass''', '']"), "no '    pass'; copy it from the base"),
        (entry("[]", base="fancy"), "unknown base 'fancy'; step has plain"),
        (f"[climbs]\n{IDEA}edit = []\n", "unknown base None; step has plain"),
        (
            entry("[]") + "find = 'w'\n",
            "unknown key 'find'; known are base, cell, edit, idea, loses",
        ),
        ("[climbs]\nedit = []\nidea = 'Up.'\n", "'loses' is missing; add it"),
        (f"[climbs]\n{IDEA}", "'edit' is missing; add it"),
        (entry("[]") + "cell = 'pass'\n", "a whole cell has neither base nor edit; remove them"),
        (entry('["w - g"]'), r"must be a pair \[found, replacement\], got \['w - g'\]"),
        ("climbs = 1\n", r"must be a table \[climbs\], got 1"),
    ],
)
def test_an_error_names_file_entry_and_remedy(text, message, tmp_path):
    with pytest.raises(ValueError, match=WHERE + ".*" + message):
        loaded(tmp_path, step=text)


def test_a_name_stands_there_once(tmp_path):
    text = entry('["w - g", "w + g"]')
    with pytest.raises(
        ValueError, match=r"wrong/step\.toml: .*climbs.*a name may stand there once"
    ):
        loaded(tmp_path / "one_file", step=text + text)
    with pytest.raises(
        ValueError, match=r"wrong/step/b\.toml, climbs: another solution .* give it"
    ):
        loaded(tmp_path / "two_files", step__a=text, step__b=text)
