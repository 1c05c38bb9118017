#!/usr/bin/env bash
# nbgrader 0.9.6 (PyPI), exchange with `Exchange.timezone`, "Timezone for recording timestamps": submissions
# are recorded as "... 21:30:00.0 JST" or "... 07:30:00.0 -05", and read again as if that were UTC. The
# format's `%Z` gives the zone's short name (nbgrader/exchange/abc/exchange.py); `parse_utc` asks for a time
# zone of that name, which most have not, and takes "-05" for five seconds (nbgrader/utils.py). In Tokyo work
# that came in time is nine hours late, in Bogota work is five hours early; in Berlin ("CET", which is a name,
# and "CEST", which is not) it is right in winter and two hours late in summer. One would have guessed that a
# time which the exchange writes it can read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    nbgrader==0.9.6 nbclient==0.11.0 ipykernel==7.4.0 python-dateutil==4.0.0
cat >"$folder/make.py" <<'PY'
import sys
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

test = new_code_cell("assert True")
test.metadata["nbgrader"] = {
    "schema_version": 3, "grade_id": "test", "points": 6,
    "grade": True, "solution": False, "locked": True, "task": False,
}  # fmt: skip
Path("course/source/ps1").mkdir(parents=True)
write(new_notebook(cells=[test]), "course/source/ps1/p1.ipynb")
config = f"""c = get_config()
c.CourseDirectory.course_id = "course"
c.Exchange.root, c.Exchange.cache = "{sys.argv[1]}/exchange", "{sys.argv[1]}/cache"
"""
Path("course/nbgrader_config.py").write_text(config + 'c.LateSubmissionPlugin.penalty_method = "zero"\n')
for zone in ("UTC", "America/Bogota", "Asia/Tokyo"):
    Path("home", zone).mkdir(parents=True)
    Path("home", zone, "nbgrader_config.py").write_text(config + f'c.Exchange.timezone = "{zone}"\n')
PY
export PATH="$folder/venv/bin:$PATH" LC_ALL=C.UTF-8 TZ=UTC
quietly() { nbgrader "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }; }
due() { quietly db assignment add ps1 --duedate="$(date --utc --date="$1" '+%Y-%m-%d %H:%M:%S UTC')"; }
scores() { # Student and points of each, with what was handed in now due at a time.
    due "$1"
    quietly autograde ps1 --force
    quietly export --to "$folder/grades.csv"
    tail -n +2 "$folder/grades.csv" | cut -d, -f4,10 | sort
}
cd "$folder"
python make.py "$folder"
mkdir exchange
chmod a+rwx exchange
cd course
due "3 hours"
quietly generate_assignment ps1
quietly release_assignment ps1
for zone in UTC America/Bogota Asia/Tokyo; do
    cd "$folder/home/$zone"
    cp -r "$folder/course/release/ps1" .
    quietly submit ps1 --CourseDirectory.student_id="$(basename "$zone")"
done
cd "$folder/course"
quietly collect ps1
late=$(scores "3 hours ago")
in_time=$(scores "3 hours")
echo "nbgrader $(nbgrader --version | tail -n 1)"
printf 'due three hours ago:\n%s\ndue in three hours:\n%s\n' "$late" "$in_time"
# Seen: 0 points for late work but 6 in Bogota; 6 for work in time but 0 in Tokyo.
[ "$late" = $'Bogota,6.0\nTokyo,0.0\nUTC,0.0' ]
[ "$in_time" = $'Bogota,6.0\nTokyo,0.0\nUTC,6.0' ]
