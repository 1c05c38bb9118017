"""Foreign text: what a file can hold, and what a terminal does not obey."""

import pytest

from tito.text import TooMuchError, encodable, printable, read_json, without_colors


def test_half_characters_become_question_marks_wherever_they_stand():
    given = {"a\ud800": ["\udfff", {"b": "\ud83dx"}], "n": [1, None, True, 0.5], "ä": "😀"}
    expected = {"a?": ["?", {"b": "?x"}], "n": [1, None, True, 0.5], "ä": "😀"}
    assert encodable(given) == expected


def test_json_that_would_take_much_more_memory_than_its_text_is_not_read():
    texts = b'\xef\xbb\xbf{"a": ["[[[,,,{{{", "\\"[,"]}'
    assert read_json(texts, 600) == {"a": ["[[[,,,{{{", '"[,']}
    for data in (b"[" + b"[]," * 20 + b"[]]", b'{"a":{"b":{"c":1}}}', b"[1" + b",1" * 10 + b"]"):
        with pytest.raises(TooMuchError):
            read_json(data, 600)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 😀 \\n", "Zoë 😀 \\n"),
        ("a\x1b[2J\x9b1m\x07\x7f", r"a\x1b[2J\x9b1m\x07\x7f"),
        ("4.42.48\u202fPM\xa0\u200d", r"4.42.48\u202fPM\xa0\u200d"),
        ("\u202efdp.\u2066", r"\u202efdp.\u2066"),
        ("a\udcff.py", r"a\udcff.py"),
        ("one\ntwo\r\t", r"one\ntwo\r\t"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_a_terminal_might_obey_is_shown_escaped(text, shown):
    assert printable(text) == shown


def test_line_ends_are_kept_where_they_are_ours():
    assert printable("one\n\x1b", keep="\n") == "one\n\\x1b"


def test_colors_and_movements_go():
    assert without_colors("\x1b[0;31mE\x1b[39m:\x1b[2K \x1b[?25lx[0m") == "E: x[0m"
