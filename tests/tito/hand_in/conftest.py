"""The zip of the real assignment, and an image that is built of it."""

from pathlib import Path

import pytest

from tests.tito.hand_in.container import Image
from tito.hand_in.autograder_zip import write_autograder
from tito.hand_in.hand_in_results import Options

MODULE = "08_optimizers"


@pytest.fixture(scope="session")
def autograder(real_course, once) -> Path:
    """The zip for Gradescope."""

    def make(folder: Path) -> None:
        made = write_autograder(real_course, real_course.module(MODULE), Options(), seed=8)
        made.path.rename(folder / made.path.name)

    return once("autograder", make) / f"{MODULE}.zip"


@pytest.fixture(scope="session")
def image(autograder, once) -> Image:
    return Image(once("image", lambda folder: Image.build(autograder, folder)))
