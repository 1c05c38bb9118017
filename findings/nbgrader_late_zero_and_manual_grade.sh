#!/usr/bin/env bash
# nbgrader 0.9.6 (PyPI), penalty method "zero": "assign an overall score of zero (penalty = score)". The
# penalty is the score at the time of `nbgrader autograde`, when an answer that a person marks has no
# points yet (nbgrader/preprocessors/latesubmissions.py). Neither marking nor feedback nor the export
# renews it, and the export subtracts it: a late student keeps all that is given by hand, and loses it
# where somebody runs autograde once more. One would have guessed 0 in both cases, since the method names
# the score and not a penalty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    nbgrader==0.9.6 nbclient==0.11.0 ipykernel==7.4.0
cat >"$folder/make.py" <<'PY'
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def marked(cell, name, points, solution):
    """The cell with nbgrader's metadata: graded, and an answer or a test."""
    cell.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": name, "points": points,
        "grade": True, "solution": solution, "locked": not solution, "task": False,
    }  # fmt: skip
    return cell


def notebook(answer):
    essay = marked(new_markdown_cell(answer), "essay", 4, solution=True)
    return new_notebook(cells=[essay, marked(new_code_cell("assert True"), "test", 6, solution=False)])


for place, answer in {"source/ps1": "our answer", "submitted/anna/ps1": "her answer"}.items():
    Path(place).mkdir(parents=True)
    write(notebook(answer), f"{place}/p1.ipynb")
Path("submitted/anna/ps1/timestamp.txt").write_text("2026-02-02 12:00:00 UTC")
Path("nbgrader_config.py").write_text("get_config().LateSubmissionPlugin.penalty_method = 'zero'\n")
PY
cat >"$folder/mark.py" <<'PY'
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook.db") as gradebook:
    grade = gradebook.find_grade("essay", "p1", "ps1", "anna")
    grade.manual_score, grade.needs_manual_grade = 4, False
    gradebook.db.commit()
PY
export PATH="$folder/venv/bin:$PATH"
mkdir "$folder/course"
cd "$folder/course"
python "$folder/make.py"
quietly() { nbgrader "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }; }
total() { # What the export says of anna: points, penalty and score.
    quietly export --to "$folder/grades.csv"
    cut -d, -f8-10 "$folder/grades.csv" | tail -n 1
}
quietly db assignment add ps1 --duedate="2026-02-01 12:00:00 UTC"
quietly generate_assignment ps1
quietly autograde ps1
after_autograde=$(total)
python "$folder/mark.py"
quietly generate_feedback ps1
after_marking=$(total)
quietly autograde ps1 --force
again=$(total)
echo "nbgrader $(nbgrader --version | tail -n 1)"
printf 'points, penalty, score after autograde: %s\nafter 4 points by hand: %s\n' "$after_autograde" "$after_marking"
echo "after another autograde: $again"
# Seen: 0 after autograde, 4 after marking, 0 after another autograde.
[ "$after_autograde" = "6.0,6.0,0.0" ]
[ "$after_marking" = "10.0,6.0,4.0" ]
[ "$again" = "10.0,10.0,0.0" ]
