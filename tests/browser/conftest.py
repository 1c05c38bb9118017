"""JupyterLab in headless Chromium, on a student's machine."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.student import Machine

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
_SECONDS_TO_START = 40
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: What keeps Chromium from asking for hosts that no test needs; without a sandbox as root.
_QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _CHROMIUM:
        return
    reason = "needs Chromium: 'make browser' installs Debian's, as root"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        yield started
        started.close()


def start_lab(machine: Machine) -> tuple[subprocess.Popen[bytes], str]:
    """Start JupyterLab as the bundle's Makefile does; return it and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}", "--no-browser"]
    with (machine.environment.parent / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [machine.python, "-m", "jupyterlab", "--allow-root", *options],
            cwd=machine.folder,
            env=machine.variables,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=1).close()
            return server, f"{address}/lab/tree/NOTEBOOK?token={token}"
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.kill()
    pytest.fail(f"JupyterLab did not start: {(machine.environment.parent / 'lab.log').read_text()}")


def screenshot(page: Page, name: str) -> Path:
    """Keep what the page looks like, for a person to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    return path
