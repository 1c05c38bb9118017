#!/usr/bin/env bash
# nbstripout 0.9.1 (PyPI): `--drop-tagged-cells "solution hidden"` drops the cells tagged "hidden" and
# leaves those tagged "solution"; with the two names in the other order it is the other way round. Each
# tag gets a condition, and all conditions read the loop's variable, which is the last tag by the time
# they are asked (nbstripout/_utils.py, `strip_output`: `lambda c: tag_to_drop not in ...`). Nothing is
# said. One would have guessed that cells with any of the tags are dropped ("Space separated list of
# cell-tags that remove an entire cell"); the handout that one checks for one tag has the other's answers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbstripout==0.9.1 nbformat==5.11.1
cat >"$folder/make.py" <<'PY'
import sys

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

cells = [new_code_cell(f"# {tag}", metadata={"tags": [tag]}) for tag in ("solution", "hidden")]
write(new_notebook(cells=[*cells, new_code_cell("# task")]), sys.argv[1])
PY
"$folder/venv/bin/python" "$folder/make.py" "$folder/notebook.ipynb"
echo "nbstripout $("$folder/venv/bin/nbstripout" --version)"
for tags in "solution hidden" "hidden solution"; do
    left=$("$folder/venv/bin/nbstripout" --textconv --drop-tagged-cells "$tags" "$folder/notebook.ipynb" |
        grep -o '"# [a-z]*"' | tr '\n' ' ')
    echo "drop '$tags', left: $left"
    # Seen: the cells of the first tag are left, besides the task.
    [ "$left" = "\"# ${tags%% *}\" \"# task\" " ]
done
