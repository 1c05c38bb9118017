"""What workers do without nbgrader, beside nbgrader itself."""

import itertools
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import preprocessors, utils
from traitlets.config import Config

from tito.autograde.limits import LimitOutput
from tito.course import cells

FLAGS = ("grade", "solution", "task", "locked")


@pytest.mark.parametrize("flags", [*itertools.product([False, True], repeat=4)])
def test_cells_are_of_the_kinds_that_nbgrader_sees(flags):
    cell = new_markdown_cell("An answer: ä")
    cell.metadata.nbgrader = {**dict(zip(FLAGS, flags, strict=True)), "grade_id": "a", "points": 2}
    for name in ("is_grade", "is_solution", "is_task", "is_locked"):
        assert getattr(cells, name)(cell) is getattr(utils, name)(cell), name
    assert cells.checksum_of(cell) == utils.compute_checksum(cell)


def test_a_cell_without_metadata_is_of_no_kind():
    assert not any(is_kind(new_code_cell()) for is_kind in (cells.is_grade, cells.is_locked))


@pytest.mark.parametrize("most", [-1, 0, 1, 2, 3, 4, 7, 100])
def test_outputs_are_shortened_as_by_nbgrader(most):
    shown = [
        new_output("stream", text="1\n2\n3"),
        new_output("display_data", {"text/plain": "a\nb\nc"}),
        new_output("stream", text="4\n5\n"),
        new_output("error", ename="E", evalue="", traceback=list("abcdef")),
        new_output("stream", text="6"),
    ]
    ours = nbformat.from_dict({"cell_type": "code", "outputs": shown})
    theirs = json.loads(json.dumps(ours), object_hook=nbformat.NotebookNode)
    config = Config({"LimitOutput": {"max_lines": most, "max_traceback": most}})
    LimitOutput(config=config).shorten(ours)
    preprocessors.LimitOutput(config=config).preprocess_cell(theirs, {}, 0)
    assert ours == theirs
