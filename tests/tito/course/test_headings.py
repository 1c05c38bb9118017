"""Which column of a roster holds what, in the languages of Moodle."""

import pytest

from tito.course.headings import roles_of


def of(header, *lines):
    columns = header.split(";")
    return roles_of(columns, [dict(zip(columns, line.split(";"), strict=True)) for line in lines])


WORKSHEETS = {
    "Participant 101": "Identifier;Full name;Email address;Grade;Maximum Grade;"
    "Last modified (submission)",
    "Teilnehmer/in101": "ID;Vollständiger Name;E-Mail-Adresse;Bewertung;Bestwertung;"
    "Zuletzt geändert (Abgabe)",
    "Participant 102": "Identifiant;Nom complet;Adresse de courriel;Note;Note maximale;"
    "Dernière modification (travail remis)",
    "Participante 101": "Identificador;Nombre completo;Dirección de correo;Calificación;"
    "Calificación máxima;Última modificación (entrega)",
}


@pytest.mark.parametrize(("participant", "header"), WORKSHEETS.items())
def test_a_grading_worksheet_in_each_language(participant, header):
    expected = ["moodle", "name", "email", "grade", "maximum", "submitted"]
    line = f"{participant};Ann Able;ann@example.org;;200;-"
    for written in (header, header.upper()):
        assert of(written, line) == dict(zip(expected, written.split(";"), strict=True))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Vorname;Nachname", {"first": "Vorname", "last": "Nachname"}),
        ("Nom;Prénom", {"last": "Nom", "first": "Prénom"}),
        ("Nombre;Apellido(s)", {"first": "Nombre", "last": "Apellido(s)"}),
        ("Nom", {"name": "Nom"}),
        ("First name;Surname;Name", {"first": "First name", "last": "Surname", "name": "Name"}),
    ],
)
def test_the_parts_of_a_name(header, expected):
    assert of(header) == expected


def test_id_column_is_canvas_moodle_or_own():
    assert of("Student;ID;Section")["canvas"] == "ID"
    assert of("ID;Name", "student1;Ann", "student2;Bo")["id"] == "ID"


def test_unknown_language_is_read_by_content():
    found = of("Tunniste;Nimi;Sposti", "Osallistuja 101;A;a@x.fi", "Osallistuja 102;B;b@x.fi")
    assert found == {"moodle": "Tunniste", "email": "Sposti"}
    assert of("student_id;team", "ann;Group 1", "bo;Group 2") == {"student": "student_id"}
