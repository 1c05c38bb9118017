"""Run a module's source in a kernel of its own and collect the reports of its graded cells."""

from __future__ import annotations

from tito.authoring.package import build_package
from tito.authoring.source import read_source
from tito.course import Course, Module
from tito.student.execute import collect, execute
from tito.student.testing import Result


def run_source(course: Course, module: Module) -> Result:
    """Run all of a module's source in a kernel, demonstrations too, and collect its reports.

    It runs with the package that ends before the module, as in grading: the module itself
    cannot be imported.

    Raises
    ------
    TitoError
        If the kernel dies or hangs.
    """
    node = read_source(module.source)
    package = build_package(course, module, judging=True)
    execute(node, module.source.parent, package)
    return collect(node)
