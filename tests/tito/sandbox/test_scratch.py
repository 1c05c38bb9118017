"""What a kernel outside bubblewrap gets."""

import subprocess
import sys

from tito.course.folders import remove_tree
from tito.sandbox.scratch import prepare


def python(folder, code, package=""):
    env = prepare(folder, package, {"fontlist-v1.json": b"{}"})
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        cwd=folder / "work",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


HOOK = """
import importlib, importlib.util, sys
class Finder: __module__ = '__editable___tinytorch_0_finder'
sys.meta_path.append(Finder)
import sitecustomize; importlib.reload(sitecustomize)
print(Finder in sys.meta_path, importlib.util.find_spec('tinytorch'))
"""


def test_neither_an_editable_install_nor_its_hook_is_on_the_import_path(tmp_path):
    assert python(tmp_path, HOOK) == "False None"


def test_the_package_and_the_list_of_fonts_are_there(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "tinytorch.py").write_text("name = 'given'")
    look = "import os, tinytorch; print(tinytorch.name, os.listdir(os.environ['MPLCONFIGDIR']))"
    assert python(tmp_path, look, str(tmp_path / "given")) == "given ['fontlist-v1.json']"


def test_what_a_folder_lies_in_is_left_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    remove_tree(tmp_path / "gone")
    (tmp_path / "link").symlink_to(tmp_path)
    remove_tree(tmp_path / "link")
    assert tmp_path.stat().st_mode & 0o777 == 0o755
