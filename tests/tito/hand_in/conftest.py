"""The zip of the real assignment, and an image that is built of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tito.hand_in.container import Image

MODULE = "08_optimizers"
_TITO = Path(sys.executable).with_name("tito")


@pytest.fixture(scope="session")
def made(real_course, once) -> Path:
    """A folder with the zip for Gradescope, and what the command said."""

    def make(folder: Path) -> None:
        command = [_TITO, "autograder", "08", "--seed", "8"]
        said = subprocess.run(
            command, cwd=real_course.root, capture_output=True, text=True, check=True
        )
        (folder / "said").write_text(said.stdout)
        path = real_course.root / "build" / "autograders" / f"{MODULE}.zip"
        path.rename(folder / path.name)

    return once("autograder", make)


@pytest.fixture(scope="session")
def autograder(made) -> Path:
    return made / f"{MODULE}.zip"


@pytest.fixture(scope="session")
def image(autograder, once) -> Image:
    return Image(once("image", lambda folder: Image.build(autograder, folder)))
