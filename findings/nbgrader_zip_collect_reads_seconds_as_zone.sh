#!/usr/bin/env bash
# nbgrader 0.9.6 with python-dateutil 4.0.0 (PyPI): `nbgrader zip_collect` with names and a regular
# expression as in its guide. Of "ps1_anna_attempt_2026-01-30-15-20-07_problem1.ipynb" it writes 22:00:00
# to timestamp.txt, and not 15:20:07: the text goes to dateutil, which drops the minutes and takes "-07",
# the seconds, for a time zone seven hours behind UTC (nbgrader/utils.py, `parse_utc`). Work is late or
# not by its seconds, and of two attempts the later one is dropped as "older" where its seconds are fewer.
# From 24 seconds on the command ends with an error about an offset. The guide's own times all end in
# "-30-10". One would have guessed the time in the name, or an error for each. "15:20:07" and "152007" are
# read as they stand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    nbgrader==0.9.6 python-dateutil==4.0.0
export PATH="$folder/venv/bin:$PATH"
cd "$folder"
archive=course/downloaded/ps1/archive
mkdir -p $archive course/release/ps1
hand_in() { # STUDENT TIME SOURCE
    python - "$3" "$archive/ps1_${1}_attempt_${2}_problem1.ipynb" <<'PY'
import sys

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

write(new_notebook(cells=[new_code_cell(sys.argv[1])]), sys.argv[2])
PY
}
hand_in anna 2026-01-30-15-20-07 "answer = 1"
hand_in ben 2026-01-30-15-20-14 "answer = 'first'"
hand_in ben 2026-01-30-17-45-02 "answer = 'second'"
hand_in chris 2026-01-30-152007 "answer = 1"
cp $archive/ps1_anna*.ipynb course/release/ps1/problem1.ipynb
cat >course/nbgrader_config.py <<'PY'
c = get_config()
c.FileNameCollectorPlugin.named_regexp = (
    r".*_(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>\w+)"
)
PY
cd course
nbgrader zip_collect ps1 >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
nbgrader --version | tail -n 1
for student in anna ben chris; do
    answer=$(grep -o "answer = .*[^\"]" submitted/$student/ps1/*.ipynb)
    echo "$student: $(cat submitted/$student/ps1/timestamp.txt), $answer" | tee -a "$folder/said"
done
# Seen: anna's 15:20:07 is 22:00; of ben's two the first is taken; chris' time is as in the name.
grep -qx "anna: 2026-01-30 22:00:00, answer = 1" "$folder/said"
grep -qx "ben: 2026-01-31 05:00:00, answer = 'first'" "$folder/said"
grep -qx "chris: 2026-01-30 15:20:07, answer = 1" "$folder/said"
