"""Marks for Gradescope, which takes them from an autograder alone."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinytorch.checks import Report
from tito.errors import TitoError
from tito.gradebook import records, scores
from tito.gradebook.gradescope_results import results, test, tests_of_parts
from tito.gradebook.scores import Row
from tito.gradebook.sheet import Sheet, Written


def write_gradescope(sheet: Sheet, folder: Path) -> Written:
    """Write ``results.json`` of every student, and an autograder that hands them out.

    Gradescope takes marks from an autograder alone: upload ``autograder.zip`` to a programming
    assignment and rerun it for all; it finds each submission's result by e-mail address.
    """
    final = [(row, person.keys.get("email", "").casefold()) for row, person in sheet.final()]
    if final and not any(email for _, email in final):
        raise TitoError(
            "no student has an e-mail address, by which Gradescope's autograder finds results; "
            "nothing was written. Name the class with --roster FILE that has a column email."
        )
    remarks = scores.comments(sheet.course, sheet.module)
    shared = Counter(email for _, email in final)
    marks, left_out = {}, sheet.left_out()
    for row, email in final:
        if not email:
            left_out[row.student] = "no e-mail address in the roster"
        elif shared[email] > 1:
            left_out[row.student] = f"the roster has the address {email} {shared[email]} times"
        else:
            marks[email] = _results(sheet, row, remarks.get(row.student, {}))
            path = folder / row.student / "results.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_json(marks[email]), encoding="utf-8")
    program = folder / "autograder.zip"
    program.unlink(missing_ok=True)  # an earlier one, of marks that are not final any more
    if marks:
        _write_autograder(program, marks)
    return Written(folder, len(marks), left_out)


def _results(sheet: Sheet, row: Row, remarks: Mapping[str, str]) -> dict[str, Any]:
    """Return one student's results as Gradescope's autograders write them."""
    record = records.load(sheet.course, sheet.module, row.student)
    tests: list[dict[str, Any]] = []
    for index, (name, points) in enumerate(row.points.items(), start=1):
        verdict = record.cells.get(name) if record else None
        if verdict:
            tests += [one for _, one in tests_of_parts(Report.from_data(verdict), index)]
        elif points is not None:
            remark = remarks.get(name, "marked")
            tests.append(test(f"{index}", name, points, row.maxima[name], remark))
    lines = [f"{name} is still to be marked." for name in row.needs_manual]
    if row.penalty:
        lines.append(f"{row.penalty:g} points were taken for lateness.")
    return results(row.total, tests, lines, record.seconds if record else 0.0)


_SETUP = "#!/usr/bin/env bash\napt-get update && apt-get install -y python3\n"
_RUN = '''#!/usr/bin/env python3
"""Hand out a stored result: Gradescope runs no student's code here."""

import json
from pathlib import Path

home = Path(__file__).resolve().parent
marks = json.loads((home / "source" / "marks.json").read_text())
users = json.loads((home / "submission_metadata.json").read_text())["users"]
found = [marks[user["email"].casefold()] for user in users if user["email"].casefold() in marks]
nothing = {"score": 0, "output": "Not graded yet.", "visibility": "hidden"}
results = home / "results" / "results.json"
results.parent.mkdir(exist_ok=True)
results.write_text(json.dumps(found[0] if found else nothing))
'''


def _write_autograder(path: Path, marks: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        texts = {"setup.sh": _SETUP, "run_autograder": _RUN, "marks.json": _json(marks)}
        for name, text in texts.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, text)


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
