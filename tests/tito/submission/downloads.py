"""Downloads as the platforms name them, and the class that they are of."""

import io
import zipfile
from pathlib import Path

NB = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
OTHER = NB.replace(b"{}", b'{"a": 1}')
GOOD = "lovelaceada_12345_900_optimizers_dev.ipynb"
GRACE = "hoppergrace_12346_800_optimizers_dev.ipynb"
LATE = "lovelaceada_LATE_12345_900_optimizers_dev.ipynb"
MOODLE = "Ada Lovelace_77_assignsubmission_file_/optimizers_dev.ipynb"
CLASS = """\
student_id,name,email,canvas_id,moodle_id,sid
ada,Ada Lovelace,ada@example.org,12345,77,S1
grace,Grace Hopper,grace@example.org,12346,78,S2
jose,José Peña-Ruiz,jose@example.org,,,S3
twin-1,Sam Smith,sam1@example.org,12350,,S4
twin-2,Sam Smith,sam2@example.org,12351,,S5
"""


def with_time(text: str) -> str:
    """Return the roster of the class with a time of Ada's submission."""
    columns = CLASS.replace("sid\n", "sid,Last modified (submission)\n")
    return columns.replace("77,S1", f'77,S1,"{text}"')


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def zipped(tmp_path: Path, files: dict[str, bytes]) -> Path:
    path = tmp_path / "download.zip"
    path.write_bytes(packed(files))
    return path
