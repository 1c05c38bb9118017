"""The zip of the real assignment, and an image that is built of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tito.hand_in.container import Image

MODULE = "08_optimizers"
_TITO = Path(sys.executable).with_name("tito")


@pytest.fixture(scope="session")
def autograder(real_course, once) -> Path:
    """The zip for Gradescope."""

    def make(folder: Path) -> None:
        command = [_TITO, "autograder", "08", "--seed", "8"]
        subprocess.run(command, cwd=real_course.root, capture_output=True, check=True)
        path = real_course.root / "build" / "autograders" / f"{MODULE}.zip"
        path.rename(folder / path.name)

    return once("autograder", make) / f"{MODULE}.zip"


@pytest.fixture(scope="session")
def image(autograder, once) -> Image:
    return Image(once("image", lambda folder: Image.build(autograder, folder)))
