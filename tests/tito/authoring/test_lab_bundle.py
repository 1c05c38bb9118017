"""The lab's bundle: it runs where the course was never seen, on the student's own optimizers."""

import json
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests.modules.test_notebooks import FIGURES, pictures
from tests.student import Machine, set_up
from tests.submissions.course import copy_course
from tests.submissions.notebook import Work
from tito.authoring.bundle import bundle, pack, texts_in
from tito.authoring.release import release
from tito.errors import TitoError

LAB, NOTEBOOK = "09_training_systems", "training_systems_dev.ipynb"


@pytest.fixture(scope="module")
def lab_course(tmp_path_factory):
    return copy_course(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def lab_bundle(lab_course):
    return bundle(lab_course, lab_course.module(LAB))


@pytest.fixture(scope="module")
def lab(lab_bundle, tmp_path_factory) -> Machine:
    machine = set_up(lab_bundle, tmp_path_factory.mktemp("lab_machine"))
    # The wheels of MPI put programs and libraries beside Python; see set_up.
    for pattern in ("bin/mpi*", "bin/hydra*", "lib/libmpi*", "lib/mpich"):
        for path in Path(sys.prefix).glob(pattern):
            (machine.environment / path.relative_to(sys.prefix)).symlink_to(path)
    return machine


def files(zipped) -> dict[str, str]:
    texts = texts_in(zipped.read_bytes(), "")
    return {name.removeprefix("/").partition(".whl/")[2] or name: text for name, text in texts}


def needs(zipped) -> set[str]:
    """Return the names of what comes with the extra `lab`."""
    metadata = next(text for name, text in files(zipped).items() if name.endswith("METADATA"))
    lines = [line for line in metadata.splitlines() if line.endswith("extra == 'lab'")]
    return {line.split()[1].split("<")[0].split(">")[0].split(";")[0] for line in lines}


def test_the_extra_installs_mpi_where_the_notebook_uses_it(lab_bundle, bundle):
    usual = {"jupyterlab", "nbgrader"}
    assert needs(lab_bundle) == usual | {"cloudpickle", "mpi4py", "mpich"}
    assert needs(bundle) == usual


def test_the_bundle_holds_nothing_that_students_write_themselves(lab_bundle):
    names = files(lab_bundle)
    assert "tinytorch/core/autograd.py" in names and "tinytorch/core/optimizers.py" not in names
    told = names[f"tito/student/released/{LAB}/builds_on.json"]
    assert json.loads(told) == {"tinytorch.core.optimizers": "optimizers_dev.ipynb"}


def test_a_passage_of_an_assignment_stops_the_bundle(lab_course):
    module = lab_course.module(LAB)
    released = release(lab_course, module) / NOTEBOOK
    work = lab_course.module("08_optimizers").source.read_text()
    start = work.index("            m *= self.beta1")
    constraints = lab_course.root / "constraints.txt"
    text = constraints.read_text()
    try:
        constraints.write_text(text + work[start:].split("# w <-")[0])
        with pytest.raises(
            TitoError, match=r"gives solutions away:\n(.*\n)?.*constraints.txt: m \+= np"
        ):
            pack(lab_course, module, released)
    finally:
        constraints.write_text(text)


def test_a_lab_promises_no_points(lab_bundle, lab):
    with zipfile.ZipFile(lab_bundle) as packed:
        names = [name.split("/")[1] for name in packed.namelist()]
        texts = packed.read(f"{LAB}/README.md") + packed.read(f"{LAB}/Makefile")
    assert "AGENTS.md" not in names
    assert b"submit" not in texts and b"optimizers_dev.ipynb" in texts
    for command, what in (("test", "test"), ("submit", "hand in")):
        answer = lab.run("tito", command)
        assert (answer.returncode, answer.stderr) == (
            2,
            f"tito: {LAB} is a lab without points: nothing to {what}.\n",
        )


def execute(lab: Machine) -> nbformat.NotebookNode:
    code = (
        "import nbformat, nbclient\n"
        f"nb = nbformat.read({NOTEBOOK!r}, 4)\n"
        "nbclient.NotebookClient(nb, kernel_name='python3', allow_errors=True).execute()\n"
        "nbformat.write(nb, 'run.ipynb')"
    )
    answer = lab.run("python", "-c", code)
    assert answer.returncode == 0, answer.stderr
    return nbformat.read(lab.folder / "run.ipynb", 4)


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return [out.evalue for out in outputs if out.output_type == "error"]


def test_it_runs_on_the_students_own_optimizers_with_all_figures(lab, lab_course):
    first = errors(execute(lab))[0]
    assert first.startswith("this notebook needs tinytorch.core.optimizers")
    assert "tito export PATH" in first
    release(lab_course, lab_course.module("08_optimizers"))
    work = Work(lab_course, lab_course.module("08_optimizers")).solve()
    (lab.folder.parent / "optimizers_dev.ipynb").write_text(work.text())
    made = lab.run("tito", "export", "../optimizers_dev.ipynb")
    assert made.returncode == 0, made.stderr
    run = execute(lab)
    assert (errors(run), pictures(run)) == ([], FIGURES[LAB])
    shown = "".join(o.text for c in run.cells for o in c.get("outputs", []) if "text" in o)
    assert "3: equal bits at each step True" in shown and "3 ranks: equal bits True" in shown


def test_what_the_lab_builds_can_be_imported(lab):
    made = lab.run("tito", "export")
    assert made.returncode == 0, made.stderr
    code = "from tinytorch.core.fused import FusedAdam; print(FusedAdam([]).t)"
    assert lab.run("python", "-c", code).stdout == "0\n"
