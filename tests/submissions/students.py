"""The students of the sample class, by assignment; marks stand in expected_marks/MODULE.csv."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tests.solutions.wrong_ideas import Solution, right_solutions
from tests.submissions.notebook import Work

Files = dict[str, str]


def _handed_in(work: Work) -> Files:
    return {work.file: work.text()}


def _right(work: Work) -> list[Solution]:
    """Return the last right solution of each cell that is written whole in another style."""
    cells = work.names(written=False)
    return list({s.cell: s for s in right_solutions() if s.cell in cells}.values())


def perfect(work: Work) -> Files:
    """Everything as in the reference, questions answered."""
    return _handed_in(work.solve().write_answers())


def written_differently(work: Work) -> Files:
    """Everything right, in another style."""
    work.solve().write_answers()
    for right in _right(work):
        work.put(right.cell, right.source)
    return _handed_in(work)


def copied(work: Work) -> Files:
    """The work of written-differently, in another layout and without its comments."""
    work.solve()
    for right in _right(work):
        work.put(right.cell, "#| export\n" + ast.unparse(ast.parse(right.source)))
    return _handed_in(work)


def rounded(work: Work) -> Files:
    """Right where the numbers are round, as the public ones are."""
    step = """#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is not None:
        new = parameter.data.data - learning_rate * parameter.grad.data.data
        parameter.data = Tensor(np.round(new, 2))
"""
    return _handed_in(work.solve().put("gradient-descent-function", step))


def momentum_averaged(work: Work) -> Files:
    """Velocity as an average of gradients, with a factor (1 - momentum)."""
    return _handed_in(work.solve().put_wrong("sgd-class", "momentum_averaged"))


def adam_without_correction(work: Work) -> Files:
    """The moments are used as they are."""
    return _handed_in(work.solve().put_wrong("adam-class", "no_bias_correction"))


def steplr_off_by_one(work: Work) -> Files:
    """The rate drops one call late."""
    return _handed_in(work.solve().put_wrong("steplr-class", "drops_one_call_late"))


def half_finished(work: Work) -> Files:
    """Sections 1 to 3 only."""
    return _handed_in(work.solve("gradient-descent-function", "sgd-class", "adam-class"))


def syntax_error(work: Work) -> Files:
    """A bracket is missing in one cell."""
    work.solve().put(
        "steplr-class", "#| export\nclass StepLR:\n    def __init__(self, optimizer:\n"
    )
    return _handed_in(work)


def infinite_loop(work: Work) -> Files:
    """A cell that never ends."""
    source = work.solve().cell("training-integration").source
    return _handed_in(work.put("training-integration", f"{source}\n\nwhile True:\n    pass"))


def test_cell_deleted(work: Work) -> Files:
    """Everything right, but the cell that shows it is gone."""
    return _handed_in(work.solve().delete("test-adam"))


def test_cell_edited(work: Work) -> Files:
    """A wrong SGD and a test cell that claims all points."""
    work.solve().put_wrong("sgd-class", "momentum_averaged")
    return _handed_in(work.put("test-sgd", "print('all parts hold')\n15.0"))


def renamed(work: Work) -> Files:
    """The file was renamed by a browser."""
    return {work.file.replace(".", "-Copy1."): work.solve().text()}


def broken_json(work: Work) -> Files:
    """The file was cut off while it was saved."""
    text = work.solve().text()
    return {work.file: text[: len(text) // 2]}


def many_lines(work: Work) -> Files:
    """Right, but a line is printed three hundred thousand times: more than grading keeps."""
    source = work.solve().cell("sgd-class").source
    flood = "for line in range(300_000):\n    print('line', line)"
    return _handed_in(work.put("sgd-class", f"{source}\n\n\n{flood}"))


def imports_the_reference(work: Work) -> Files:
    """The answer is imported from the installed package."""
    stolen = "SGD, Adam, AdvancedOptimizerFeatures, OptimizerConvergenceProfiler, StepLR"
    names = f"{stolen}, gradient_descent_step, train_simple_model"
    for grade_id in work.names(written=False):
        work.put(grade_id, f"#| export\nfrom tinytorch.core.optimizers import {names}")
    return _handed_in(work)


def questions_only(work: Work) -> Files:
    """No code, but the questions are answered."""
    return _handed_in(work.write_answers())


def untouched(work: Work) -> Files:
    """The release as it was given out."""
    return _handed_in(work)


def kernel_dies(work: Work) -> Files:
    """One cell ends its process."""
    source = work.solve().cell("convergence-profiler").source
    return _handed_in(work.put("convergence-profiler", f"{source}\n\nimport os\nos._exit(1)"))


def decay_in_the_gradient(work: Work) -> Files:
    """Adam with a penalty on the weights instead of AdamW."""
    return _handed_in(work.solve().put_wrong("adamw-class", "decay_in_the_gradient"))


def muon_of_plain_momentum(work: Work) -> Files:
    """The momentum itself is the step: nothing is orthogonalized."""
    return _handed_in(work.solve().put_wrong("muon-class", "not_orthogonalized"))


def schedule_that_compounds(work: Work) -> Files:
    """Each factor multiplies the rate that the one before has left."""
    return _handed_in(work.solve().put_wrong("schedule-functions", "compounds_the_current_rate"))


def each_rank_for_itself(work: Work) -> Files:
    """No rank hears of the others' gradients."""
    return _handed_in(work.solve().put_wrong("sharded-adamw", "own_gradient"))


def first_half(work: Work) -> Files:
    """Sections 1 to 3 only, questions answered."""
    work.solve("parameter-groups", "rmsprop-class", "nesterov-class", "adamw-class")
    return _handed_in(work.write_answers())


_STUDENTS = {
    "08_optimizers": (
        perfect,
        written_differently,
        copied,
        rounded,
        momentum_averaged,
        adam_without_correction,
        steplr_off_by_one,
        half_finished,
        syntax_error,
        infinite_loop,
        test_cell_deleted,
        test_cell_edited,
        renamed,
        broken_json,
        many_lines,
        imports_the_reference,
        questions_only,
        untouched,
        kernel_dies,
    ),
    "10_modern_optimizers": (
        perfect,
        written_differently,
        decay_in_the_gradient,
        schedule_that_compounds,
        muon_of_plain_momentum,
        each_rank_for_itself,
        first_half,
        questions_only,
        untouched,
    ),
}
#: By assignment and student.
CLASSES: dict[str, dict[str, Callable[[Work], Files]]] = {
    module: {student.__name__.replace("_", "-"): student for student in students}
    for module, students in _STUDENTS.items()
}
