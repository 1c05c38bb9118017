#!/usr/bin/env bash
# jupytext 1.19.6 (PyPI), percent script to notebook: a comment that begins like a shell command, or is
# one word with a question mark, loses its `#`. "# copy of both", "# echo the input", "# %d steps" and
# "# why?" become commands in the notebook: the second runs, the others are errors or ask for help, and a
# tool that exports the cell as Python writes invalid code. "# is it sorted?" and "# copy = 2" stay
# comments, so it is seen late. `comment_magics=False` keeps all (jupytext/magics.py, `is_magic`,
# `_PYTHON_MAGIC_CMD`). One would have guessed that only "# %name" and "# !name", the way a magic is
# written in a script, come back as commands.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jupytext==1.19.6
cat >"$folder/run.py" <<'PY'
import jupytext

print("jupytext", jupytext.__version__)
comments = ["# copy of both", "# echo the input", "# %d steps", "# why?", "# is it sorted?", "# copy = 2"]
script = "\n".join(["# %%", "x = 1", *comments])
for magics in (None, False):
    how = {"extension": ".py", "format_name": "percent"}
    if magics is not None:
        how["comment_magics"] = magics
    [cell] = jupytext.reads(script, how).cells
    print(f"comment_magics {magics}:", cell.source.split("\n")[1:])
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 'copy of both', 'echo the input', '%d steps' and 'why?' without '#', the others with it.
grep -qF "None: ['copy of both', 'echo the input', '%d steps', 'why?', '# is it sorted?'" <<<"$said"
grep -qF "False: ['# copy of both', '# echo the input', '# %d steps', '# why?'" <<<"$said"
