"""Percent sources as notebooks: read by jupytext, with cell ids that stay the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tito.course import Course, Module
from tito.course.check_modules import put_into, texts_in
from tito.course.files import replace_text
from tito.errors import TitoError
from tito.student.jupyter import LANGUAGE_VERSION

#: As jupytext names it. A source is Python as it stands: a comment such as "# copy of both" or
#: "# why?" would otherwise become a command of the notebook.
_PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}


def _metadata() -> dict[str, Any]:
    """Return what JupyterLab writes into a notebook, so that an untouched one is not "unsaved".

    The kernel of a student says the same version; see :mod:`tito.student.jupyter`.
    """
    # A fifth of the start of all commands that read no source.
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelspec import KERNEL_NAME, get_kernel_dict

    return {
        "kernelspec": {
            "display_name": get_kernel_dict()["display_name"],
            "language": "python",
            "name": KERNEL_NAME,
        },
        "language_info": {**IPythonKernel.language_info, "version": LANGUAGE_VERSION},
    }


def read_source(path: Path, checks: Path | None = None) -> NotebookNode:
    """Read a percent source as a notebook without outputs, with the modules in a folder of checks.

    A source that is a notebook is read as it is.

    Jupytext invents a random id for each cell; here a cell's id is its grade_id, or its
    position, so that the same source always gives the same bytes.
    """
    if path.suffix == ".ipynb":
        return read_notebook(path)
    import jupytext  # as in _metadata

    try:
        notebook = jupytext.read(path, fmt=dict(_PERCENT))
    except OSError as error:
        raise TitoError(f"{path} cannot be read: {error.strerror}.") from error
    for position, cell in enumerate(notebook.cells):
        meta = cell.metadata.get("nbgrader", {})
        name = meta.get("grade_id") or f"cell-{position:03d}"
        cell.id = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:64]
        if cell.cell_type == "code" and meta.get("grade"):
            # JupyterLab folds it, shows its report, and unfolds it on a click.
            cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata = nbformat.from_dict(_metadata())
    if checks is not None:
        put_into(notebook, texts_in(checks))
    return notebook


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of the course's own.

    Raises
    ------
    TitoError
        If it cannot be read, or is none.
    """
    try:
        return nbformat.read(path, as_version=nbformat.current_nbformat)
    except OSError as error:
        raise TitoError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).strip().split("\n")[0]
        raise TitoError(f"{path} is not a notebook: {reason}") from error


def build_notebook(course: Course, module: Module) -> Path:
    """Write a module's source as a notebook into ``build/notebooks``.

    It is alone in its folder, which nbgrader takes as the assignment.
    """
    path = course.source_notebook(module)
    write_notebook(read_source(module.source, course.checks(module)), path)
    return path


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook in one go: a reader sees the old file or the new one."""
    replace_text(path, nbformat.writes(notebook) + "\n")
