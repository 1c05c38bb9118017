"""`tito autograder`: the zip that grades on Gradescope, when something is handed in."""

from __future__ import annotations

import click

from tito.commands._shared import pass_module, print_line
from tito.course import Course, Module
from tito.gradebook.gradescope_results import VISIBILITIES, Visibility
from tito.hand_in.autograder_zip import write_autograder
from tito.hand_in.hand_in_results import Options
from tito.sandbox import LEVELS


@click.command("autograder")
@pass_module
@click.option(
    "--visibility",
    type=click.Choice(VISIBILITIES),
    default="visible",
    show_default=True,
    help="When students see the parts and their points.",
)
@click.option(
    "--fresh-inputs",
    type=click.Choice(VISIBILITIES),
    default="after_due_date",
    show_default=True,
    help="When they see what came of inputs other than the notebook's.",
)
@click.option("--seed", type=int, help="Repeat the fresh inputs of an earlier zip.")
@click.option(
    "--isolation",
    type=click.Choice(LEVELS),
    default="user",
    show_default=True,
    help="The weakest isolation of students' code that is accepted in the container.",
)
@click.option(
    "--seconds",
    type=click.IntRange(min=120),
    default=600,
    show_default=True,
    help="The host's limit for a run, as set there.",
)
def command(
    module: Module,
    visibility: Visibility,
    fresh_inputs: Visibility,
    seed: int | None,
    isolation: str,
    seconds: int,
) -> None:
    """Make the zip of MODULE for Gradescope, which grades each submission as it is handed in.

    It holds the answers: keep it from students.
    """
    course = Course.find()
    options = Options(visibility, fresh_inputs)
    made = write_autograder(course, module, options, seed, isolation, seconds)
    print_line(f"autograder: {made.path.relative_to(course.root)}")
    print_line(f"  {made.points:g} points by machine; fresh inputs of seed {made.seed}")
