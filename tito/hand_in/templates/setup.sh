#!/usr/bin/env bash
# Builds the image: Python 3.11 or newer, in an environment that students' code may read, with the
# versions that were tested. Made for Ubuntu 24.04 (Python 3.12) and 22.04 (3.11, of universe).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
[ -f "$here/requirements.txt" ] || here=/autograder/source
export DEBIAN_FRONTEND=noninteractive

python=""
for name in python3.13 python3.12 python3.11; do
    if [ -z "$python" ] && "$name" -c 'import ensurepip, venv' 2>/dev/null; then python="$name"; fi
done
if [ -z "$python" ]; then
    apt-get update
    for name in python3.12 python3.11; do
        if [ -z "$python" ] && apt-get install --yes --no-install-recommends "$name" "$name-venv"; then
            python="$name"
        fi
    done
fi
[ -n "$python" ] || { echo "setup.sh: no Python 3.11 or newer; take Ubuntu 24.04 as base image" >&2; exit 1; }

"$python" -m venv --clear /opt/tito
/opt/tito/bin/pip install --no-cache-dir --disable-pip-version-check \
    --requirement "$here/requirements.txt" --constraint "$here/constraints.txt"
chmod -R a+rX,go-w /opt/tito
# matplotlib's list of fonts, which would take a second of each submission.
PYTHONPATH="$here/tools" /opt/tito/bin/python -P -s -B -c "
from pathlib import Path
from tito.kernels.fonts import prepare_fonts
prepare_fonts(Path('$here/fonts'))"
# The answers are in here.
chmod -R go-rwx "$here"
