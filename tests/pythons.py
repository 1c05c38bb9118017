"""Install the course under each Python that it supports, and run the quick tests there.

Usage: python -m tests.pythons [VERSION]...
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
#: Each layer is used at least once: the core, the checks, nbdev, nbgrader, a kernel, Sphinx.
AUTHORING = (
    f"tests/tito/authoring/test_{name}.py" for name in ("export", "new", "release", "rules")
)
TESTS = ("tests/core", "tests/test_compiled.py", "tests/checks", "tests/docs", *AUTHORING)


def interpreter(version: str) -> str | None:
    """Find a Python of a version, on the PATH or among pyenv's; None if there is none."""
    installed = Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    for candidate in (f"python{version}", *map(str, sorted(installed))):
        found = shutil.which(candidate)
        # pyenv puts a name on the PATH for every Python, also for those it does not run.
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    return None


def check(python: str, version: str) -> bool:
    """Make an environment below build/, install into it, and run the tests."""
    folder = ROOT / "build" / f"python-{version}"
    steps = (
        [python, "-m", "venv", "--clear", folder],
        [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        + ["--constraint", "constraints.txt", "--editable", ".[dev,docs,compiled]"],
        [folder / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
    )
    return all(subprocess.run(step, cwd=ROOT).returncode == 0 for step in steps)


def main(versions: list[str]) -> int:
    """Check some versions, or all; 1 if one fails or none was found."""
    results = {}
    for version in versions or VERSIONS:
        python = interpreter(version)
        print(f"Python {version}: {python or 'not on this machine'}", flush=True)
        if python:
            results[version] = check(python, version)
    for version, passed in results.items():
        print(f"Python {version}: {'passed' if passed else 'FAILED'}")
    return 0 if results and all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
