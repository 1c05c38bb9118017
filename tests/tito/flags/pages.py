"""A page of flags, from records made by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from tito.course import Course
from tito.flags import classmates
from tito.flags.classmates import Comparison
from tito.flags.similarity import Match
from tito.gradebook import records
from tito.gradebook.records import Record
from tito.pages import evidence

ROOT = Path(__file__).parents[3]
FLAGS = {
    "ann": (),
    "bob": (),
    "honest": (),
    "knows": ("right on the public inputs, wrong on fresh ones: test-sgd, a", "output cut: sgd"),
    "renames": ("renamed: <script>alert(1)</script>.ipynb",),
    "snoops": tuple(f"uses files (sgd, line {line}): open('{line}')" for line in (1, 2, 3)),
}


def write_page(root: Path) -> Path:
    """Write the page of a class of six, made from the solution; ann and bob have the same work."""
    shutil.copy(ROOT / "settings.ini", root)
    source = root / "modules" / "source" / "08_optimizers" / "optimizers_dev.py"
    source.parent.mkdir(parents=True)
    source.write_text("#| default_exp core.optimizers\n")
    course = Course(root)
    module = course.module("08")
    for student, flags in FLAGS.items():
        records.save(course, module, Record(student, "graded", flags=flags))
    own = [Match((student,), "sgd", 1.0, (("1: x", "1: y"),)) for student in FLAGS]
    pair = Match(("ann", "bob"), "adam", 0.93, (("7: step(a)", "9: move(b)"),))
    found = {"version": classmates._VERSION, **asdict(Comparison(len(FLAGS), (pair, *own)))}
    classmates._path(course, module).write_text(json.dumps(found))
    return evidence.write(course, module)
