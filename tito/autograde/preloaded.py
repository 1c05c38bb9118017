"""What the server that forks workers has ready for all of them."""

from __future__ import annotations

import nbformat

import tito.autograde.worker  # noqa: F401 - what workers import

# Its validator is compiled when it is first used, for a tenth of a second.
nbformat.validate(nbformat.v4.new_notebook())
