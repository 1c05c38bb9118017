"""What a student's cells showed, in a shape that can be relied on."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode

from tito.pages.bounds import is_light


def tidy(outputs: Any) -> list[NotebookNode]:
    """Return the outputs that are what the notebook's format says, with their texts joined.

    A student's code can publish anything under any type: ``display({"text/html": 5}, raw=True)``.
    What comes back is streams with a text, errors with a name, a value and a list of texts, and
    others with their data: texts, and whatever stands under a type of JSON.
    """
    given = outputs if isinstance(outputs, list) else []
    tidied = (_tidy(output) for output in given if isinstance(output, dict))
    return [output for output in tidied if output is not None]


def _tidy(output: dict[str, Any]) -> NotebookNode | None:
    kind = output.get("output_type")
    shown: dict[str, Any]
    if kind == "stream":
        shown = {"text": joined(output.get("text")) or ""}
    elif kind == "error":
        traceback = output.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        shown = {name: joined(output.get(name)) or "" for name in ("ename", "evalue")}
        shown["traceback"] = [line for line in lines if isinstance(line, str)]
    elif kind in ("display_data", "execute_result"):
        data = output.get("data")
        shown = {"data": _texts(data if isinstance(data, dict) else {})}
    else:
        return None
    return NotebookNode({**output, **shown})


def _texts(data: dict[str, Any]) -> NotebookNode:
    kept = NotebookNode()
    for kind, value in data.items():
        if kind.endswith("json"):
            kept[kind] = value
        elif (text := joined(value)) is not None:
            kept[kind] = text
    if "text/plain" in kept and not is_light(kept.get("text/html", "")):
        del kept["text/html"]  # the plain form says more than the tags of a huge table
    return kept


def joined(value: Any) -> str | None:
    """Return a text, which a file may hold as a list of lines; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return None
