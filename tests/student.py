"""The machine of a student: a fresh environment outside the checkout, with the bundle's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """An unpacked bundle and the environment it was installed in.

    Attributes
    ----------
    folder : Path
        The unpacked bundle.
    environment : Path
        The virtual environment.
    """

    folder: Path
    environment: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def variables(self) -> dict[str, str]:
        """A bare environment; Jupyter keeps its own files beside the virtual environment."""
        home = str(self.environment.parent / "home")
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        path = f"{self.environment / 'bin'}:/usr/bin:/bin"
        # Fonts are looked for once a machine; a test need not wait for it again.
        cache = os.environ.get("MPLCONFIGDIR") or str(Path.home() / ".config" / "matplotlib")
        return {
            **kept,
            "PATH": path,
            "HOME": home,
            "OPENBLAS_NUM_THREADS": "1",
            "MPLCONFIGDIR": cache,
        }

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the bundle's folder, or in another."""
        program = str(self.environment / "bin" / command[0])
        return subprocess.run(
            [program, *command[1:]],
            cwd=folder or self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=120,
        )


def set_up(bundle: Path, target: Path) -> Machine:
    """Unpack a bundle and install its wheel, as its README says.

    What the wheel needs from elsewhere is there already: it is taken from the environment that
    runs the tests, by a path file that brings in none of the checkout (a path file inside that
    environment, such as that of an editable install, is not followed).
    """
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(target)
    (folder,) = target.iterdir()
    environment = target / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    (target / "home").mkdir()
    lib = environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (lib / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.copytree(Path(sys.prefix) / "etc", environment / "etc")
    (environment / "share").mkdir(exist_ok=True)
    (environment / "share" / "jupyter").symlink_to(Path(sys.prefix) / "share" / "jupyter")
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    return Machine(folder, environment)
