#!/usr/bin/env bash
# pebble 5.2.3 (PyPI), ProcessPool: of two workers that both have nothing to do, one is killed; the
# next task is refused ("Unexpected error within the Pool"), though the other worker lives and the
# pool was told to have two. A worker that is killed while it does a task costs that task alone, as its
# documentation says (https://pebble.readthedocs.io, "ProcessExpired"), and is replaced; so one would
# have guessed that an idle one is replaced too. A grader's pool is idle whenever a class is small.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pebble==5.2.3
cat >"$folder/idle.py" <<'PY'
import os
import signal
import time
from importlib.metadata import version

from pebble import ProcessPool


def number(seconds):
    time.sleep(seconds)
    return os.getpid()


if __name__ == "__main__":
    print("pebble", version("pebble"))
    with ProcessPool(max_workers=2) as pool:
        tasks = [pool.schedule(number, args=(0.5,)) for _ in range(2)]
        first, second = {task.result() for task in tasks}
        os.kill(first, signal.SIGKILL)
        time.sleep(1)
        os.kill(second, 0)  # raises if it does not live
        try:
            print("the next task:", pool.schedule(number, args=(0,)).result(timeout=20))
        except RuntimeError as error:
            print("the next task:", type(error).__name__, error)
        pool.stop()
PY
said=$("$folder/venv/bin/python" "$folder/idle.py")
echo "$said"
# Seen: "pebble 5.2.3", then "the next task: RuntimeError Unexpected error within the Pool".
grep -q "the next task: RuntimeError" <<<"$said"
