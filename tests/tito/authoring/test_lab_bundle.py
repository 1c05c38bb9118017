"""The lab's bundle: it runs where the course was never seen, on the student's own optimizers."""

import json
import sys
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
    texts = ((name.removeprefix("/"), text) for name, text in texts_in(zipped.read_bytes(), ""))
    return {name.partition(".whl/")[2] or name: text for name, text in texts}


def needs(zipped, extra: str = "lab") -> set[str]:
    """Return the names of what comes with an extra."""
    metadata = next(text for name, text in files(zipped).items() if name.endswith("METADATA"))
    lines = [line for line in metadata.splitlines() if line.endswith(f"extra == '{extra}'")]
    return {line.split()[1].split("<")[0].split(">")[0].split(";")[0] for line in lines}


def test_the_extra_installs_mpi_where_the_notebook_uses_it(lab_bundle, bundle):
    usual = {"jupyterlab", "nbgrader"}
    assert needs(lab_bundle) == usual | {"cloudpickle", "mpi4py", "mpich"}
    assert needs(bundle) == usual


def test_large_libraries_are_extras_of_their_own(lab_bundle, bundle):
    assert [needs(lab_bundle, extra) for extra in ("compiled", "torch")] == [{"numba"}, {"torch"}]
    assert needs(bundle, "compiled") == set()
    assert '-py3-none-any.whl[compiled,torch]"\n' in files(lab_bundle)[f"{LAB}/README.md"]


def test_the_bundle_holds_nothing_that_students_write_themselves(lab_bundle):
    names = files(lab_bundle)
    assert "tinytorch/core/autograd.py" in names
    assert {"tinytorch/core/optimizers.py", "tinytorch/compiled.py"} & names.keys() == set()
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
        told = r"gives solutions away:\n(.*\n)*.*constraints.txt: m \+= np"
        with pytest.raises(TitoError, match=told):
            pack(lab_course, module, released)
    finally:
        constraints.write_text(text)


def test_a_lab_promises_no_points(lab_bundle, lab):
    texts = files(lab_bundle)
    assert f"{LAB}/AGENTS.md" not in texts
    told = texts[f"{LAB}/README.md"] + texts[f"{LAB}/Makefile"]
    assert "submit" not in told and "optimizers_dev.ipynb" in told
    for command, what in (("test", "test"), ("submit", "hand in")):
        answer = lab.run("tito", command)
        said = f"tito: {LAB} is a lab without points: nothing to {what}.\n"
        assert (answer.returncode, answer.stderr) == (2, said)


EXECUTE = f"""
import nbformat, nbclient
nb = nbformat.read({NOTEBOOK!r}, 4)
nbclient.NotebookClient(nb, kernel_name='python3').execute()
nbformat.write(nb, 'run.ipynb')
"""


def test_it_runs_on_the_students_own_optimizers_with_all_figures(lab, lab_course):
    refused = lab.run("python", "-c", EXECUTE)
    assert "this notebook needs tinytorch.core.optimizers" in refused.stderr
    assert refused.returncode == 1 and "tito export PATH" in refused.stderr
    release(lab_course, lab_course.module("08_optimizers"))
    work = Work(lab_course, lab_course.module("08_optimizers")).solve()
    (lab.folder.parent / "optimizers_dev.ipynb").write_text(work.text())
    made = lab.run("tito", "export", "../optimizers_dev.ipynb")
    assert made.returncode == 0, made.stderr
    done = lab.run("python", "-c", EXECUTE)
    assert done.returncode == 0, done.stderr
    run = nbformat.read(lab.folder / "run.ipynb", 4)
    assert pictures(run) == FIGURES[LAB]
    shown = "".join(o.text for c in run.cells for o in c.get("outputs", []) if "text" in o)
    assert "3: equal bits at each step True" in shown and "3 ranks: equal bits True" in shown


def test_what_the_lab_builds_can_be_imported(lab):
    made = lab.run("tito", "export")
    assert made.returncode == 0, made.stderr
    code = "from tinytorch.core.fused import FusedAdam; print(FusedAdam([]).t)"
    assert lab.run("python", "-c", code).stdout == "0\n"
