"""Run the suite as an ordinary user and, where root starts it, as root too.

``python -m tests.attacks [PYTEST OPTIONS]`` in the folder of the repository.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_USER = 65534
#: An interpreter below /root is made reachable in a mount namespace of its own: the folder of
#: root is covered there, and only what the interpreter needs is bound again.
_BEHIND_ROOT = """
set -e
python=$1; shift
mount --make-rprivate /
mkdir "$TMPDIR/kept"
mount --bind "$python" "$TMPDIR/kept"
mount -t tmpfs -o mode=755,size=1m none /root
mkdir -p "$python"
mount --move "$TMPDIR/kept" "$python"
rmdir "$TMPDIR/kept"
exec "$@"
"""


def _ordinary(command: list[str], scratch: str) -> int:
    """Run a command as a user without rights; root only."""
    os.chown(scratch, _USER, _USER)
    env = {**os.environ, "HOME": scratch, "TMPDIR": scratch, "USER": "nobody"}
    ids = [f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
    dropped = ["setpriv", *ids, "--inh-caps=-all", *command]
    base = str(Path(sys.base_prefix).resolve())
    if Path("/root") in Path(base).parents:
        dropped = ["unshare", "--mount", "sh", "-c", _BEHIND_ROOT, "sh", base, *dropped]
    return subprocess.run(dropped, env=env, check=False).returncode


def main() -> int:
    """Return the exit code of a run that fails, or 0."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/attacks"]
    command += sys.argv[1:]
    codes = [subprocess.run(command, check=False).returncode]
    if os.getuid() == 0:
        with tempfile.TemporaryDirectory(prefix="ta-user-", dir="/tmp") as scratch:
            codes.append(_ordinary(command, scratch))
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main())
