#!/usr/bin/env bash
# papermill 2.7.0 (PyPI): `execute_notebook(parameters={"factors": {5: 0.1, 10: 0.1}})` writes
# `factors = {"5": 0.1, "10": 0.1}` into the notebook: all keys become text (papermill/translators.py,
# `PythonTranslator.translate_dict`). `factors.get(epoch, 1)` then never meets a key, and the rate is that
# of the first epoch to the end, without a message; integer keys of a YAML file go the same way. A tuple
# becomes text as well, "(0.9, 0.99)", while a list stays a list. One would have guessed what Python writes
# for these values, since the cell is Python and numbers, lists and None come through as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    papermill==2.7.0 ipykernel==7.4.0 nbclient==0.11.0
cat >"$folder/run.py" <<'PY'
import sys
from importlib.metadata import version

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from papermill import execute_notebook

FACTORS = "factors = {5: 0.1, 10: 0.1}\nbetas = (0.9, 0.99)"
TRAINING = """
rate = 1.0
for epoch in range(20):
    rate *= factors.get(epoch, 1)
print(f"rate {rate:.2g}, betas a {type(betas).__name__}")
"""
folder = sys.argv[1]
cells = [new_code_cell(FACTORS, metadata={"tags": ["parameters"]}), new_code_cell(TRAINING)]
kernel = {"name": "python3", "language": "python", "display_name": "Python"}
write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), f"{folder}/in.ipynb")
print("papermill", version("papermill"))
for how, parameters in {
    "as it is": {},
    "by parameters": {"factors": {5: 0.1, 10: 0.1}, "betas": (0.9, 0.99)},
}.items():
    ran = execute_notebook(f"{folder}/in.ipynb", f"{folder}/out.ipynb", parameters, progress_bar=False)
    print(f"{how}: {ran.cells[-1].outputs[0].text.strip()}")
PY
said=$(PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" "$folder/run.py" "$folder" 2>"$folder/log")
echo "$said"
# Seen: the same values end at a rate of 0.01, and at 1 where they are given as parameters.
grep -qx "as it is: rate 0.01, betas a tuple" <<<"$said"
grep -qx "by parameters: rate 1, betas a str" <<<"$said"
