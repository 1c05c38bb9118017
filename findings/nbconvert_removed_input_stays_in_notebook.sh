#!/usr/bin/env bash
# nbconvert 7.17.2 (PyPI): `--TagRemovePreprocessor.remove_input_tags=solution` takes the sources of cells
# tagged "solution" out of HTML, Markdown, Python and slides, and with `--to notebook` leaves them all in.
# The preprocessor only marks such a cell, in its metadata, and the templates heed the mark; a notebook is
# written without a template (nbconvert/preprocessors/tagremove.py, `preprocess_cell`), with the mark as a
# key "transient" in the file. `remove_cell_tags` and `remove_all_outputs_tags` of the same class do
# remove in a notebook. Nothing is said. One would have guessed that a preprocessor changes the notebook
# that all formats are made of, and that a handout checked as HTML has no solutions as a notebook either.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    nbconvert==7.17.2 nbformat==5.11.1 ipykernel==7.4.0
export PATH="$folder/venv/bin:$PATH"
cd "$folder"
python - <<'PY'
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

printed = new_output("stream", name="stdout", text="printed_by_it")
solution = new_code_cell("solution_of_it = 42", outputs=[printed], metadata={"tags": ["solution"]})
language = {"name": "python", "file_extension": ".py"}
write(new_notebook(cells=[solution], metadata={"language_info": language}), "notebook.ipynb")
PY
echo "nbconvert $(jupyter nbconvert --version)"
for option in remove_input_tags remove_cell_tags remove_all_outputs_tags; do
    for to in notebook html markdown python; do
        jupyter nbconvert --to $to --stdout --TagRemovePreprocessor.enabled=True \
            --TagRemovePreprocessor.$option=solution notebook.ipynb >out 2>log || { cat log; exit 1; }
        input=$(grep -q "solution_of_it" out && echo kept || echo removed)
        output=$(grep -q "printed_by_it" out && echo kept || echo removed)
        echo "$option $to: input $input, output $output" | tee -a said
    done
done
# Seen: the input is removed from each format but the notebook; the other two act in the notebook too.
grep -qx "remove_input_tags notebook: input kept, output kept" said
grep -qx "remove_input_tags html: input removed, output kept" said
grep -qx "remove_input_tags python: input removed, output removed" said
grep -qx "remove_cell_tags notebook: input removed, output removed" said
grep -qx "remove_all_outputs_tags notebook: input kept, output removed" said
