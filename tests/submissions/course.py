"""A course folder apart from this one's class: `python -m tests.submissions.course FOLDER`."""

import shutil
import sys
from pathlib import Path

from tito.course import Course

ROOT = Path(__file__).resolve().parents[2]


def copy_course(target: Path) -> Course:
    """Copy what a fresh clone of the course has and the tools need."""
    for name in ("settings.ini", "nbgrader_config.py", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, target / name)
    for name in ("tinytorch", "modules/source"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    return Course(target)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    copy_course(folder)
