"""What the columns of a roster hold, by their headings or else by what stands in them.

Canvas and Gradescope write English; Moodle writes the language of its site. Compared are letters
and digits alone, in one case and without accents, as :func:`plain` leaves them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

#: The headings of each role; of several in one file the first of them counts.
_HEADINGS = {
    "student": "studentid",
    "id": "id",
    "login": """
        sisloginid username anmeldename benutzername nomdutilisateur nomusuari
        nombredeusuario nomeutente nomedeutilizador nomedeusuario gebruikersnaam
    """,
    "sid": """
        sid sisuserid idnumber idnummer matrikelnummer numerodidentification numerodeid
        numerodeidentificacion numerodeidentificacao numeroid codiceid matricola
        studentnumber studentennummer numeroetudiant
    """,
    "canvas": "canvasid",
    "moodle": """
        moodleid identifier identifiant identificador identificativo identificatie
        identificatienummer teilnehmernummer
    """,
    "email": """
        email emailaddress emailadresse mail adressedecourriel courriel adressemail
        adresseemail adressemel direcciondecorreo correoelectronico
        direcciondecorreoelectronico indirizzoemail emailadres enderecodeemail
        enderecodecorreioeletronico
    """,
    "name": """
        fullname student vollstandigername nomcomplet nombrecompleto nomecompleto
        volledigenaam name nom nombre nome naam
    """,
    "first": "firstname givenname vorname prenom voornaam",
    "last": """
        lastname surname familyname nachname familienname nomdefamille apellidos
        apellido cognome achternaam apelido apelidos sobrenome
    """,
    "submitted": """
        lastmodifiedsubmission zuletztgeandertabgabe dernieremodificationtravailremis
        dernieremodificationremise ultimamodificacionentrega laatstgewijzigdinzending
        ultimamodificaconsegna ultimamodificacaoenvio
    """,
    "grade": "grade bewertung note calificacion valutazione cijfer nota avaliacao",
    "maximum": """
        maximumgrade bestwertung hochstbewertung maximalebewertung notemaximale
        calificacionmaxima valutazionemassima maximumcijfer notamaxima
    """,
    "section": "section",
    "role": "role roles",
}
#: One word for a whole name, or, beside another part of it, for the part that is left.
_SHORT = ("name", "nom", "nombre", "nome", "naam")
_ADDRESS = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
#: "Participant 101", "Teilnehmer/in101": the same words before each number.
_PARTICIPANT_WORD = 5
_PARTICIPANT = re.compile(r"(\D*[^\W\d_]\D*)\d+")


def plain(text: str) -> str:
    """Return the letters and digits of a text, in one case and without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]", "", "".join(c for c in apart if not unicodedata.combining(c)))


def roles_of(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the columns of a file by what they hold."""
    if not columns:
        return {}
    by_plain = {plain(column): column for column in reversed(columns)}
    roles = {
        role: by_plain[heading]
        for role, headings in _HEADINGS.items()
        if (heading := next((name for name in headings.split() if name in by_plain), None))
    }
    _share_the_name(roles)
    values = {column: [v for row in rows if (v := row[column].strip())] for column in columns}
    _classify_ids(roles, values)
    free = {column: values[column] for column in columns if column not in roles.values()}
    _by_content(roles, free, columns[0])
    return roles


def _share_the_name(roles: dict[str, str]) -> None:
    """Take "Nom" beside "Prénom" for the last name, "Nombre" beside "Apellidos" for the first."""
    if plain(roles.get("name", "")) in _SHORT and ("first" in roles) != ("last" in roles):
        roles["last" if "first" in roles else "first"] = roles.pop("name")


def _classify_ids(roles: dict[str, str], values: Mapping[str, list[str]]) -> None:
    """Say whose number a column "ID" holds: Canvas's, Moodle's in German, or the class's own."""
    if "id" not in roles:
        return
    if plain(roles.get("name", "")) == "student" and "section" in roles:
        roles.setdefault("canvas", roles.pop("id"))
    elif {"maximum", "submitted"} & set(roles) and _are_participants(values[roles["id"]]):
        roles.setdefault("moodle", roles.pop("id"))


def _by_content(roles: dict[str, str], values: Mapping[str, list[str]], first: str) -> None:
    """Recognize addresses, and Moodle's numbers, below headings of a language not known here."""
    for column, texts in values.items():
        if "email" not in roles and texts and all(map(_ADDRESS.fullmatch, texts)):
            roles["email"] = column
    if not {"student", "id", "moodle"} & set(roles) and _are_participants(values.get(first, [])):
        roles["moodle"] = first


def _are_participants(texts: Sequence[str]) -> bool:
    """Whether all are one word or more, the same ones, and a number."""
    matches = [_PARTICIPANT.fullmatch(text) for text in texts]
    words = {match[1].strip() for match in matches if match}
    distinct = len(set(texts)) == len(texts)
    return all(matches) and distinct and len(words) == 1 and len(words.pop()) >= _PARTICIPANT_WORD
