"""Jupyter in headless Chromium."""

from __future__ import annotations

import contextlib
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
    reason = "needs Chromium: 'make system' installs Debian's, as root"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")  # Playwright's event loop runs as long: no other test may meet it
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        yield started
        started.close()


@contextlib.contextmanager
def jupyter(
    *command: str | Path, folder: Path, log: Path, env: dict[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """Run a Jupyter server in a folder; give its address and its token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [*command, "--no-browser", "--allow-root", *options],
            cwd=folder,
            env=env,
            stdout=file,
            stderr=file,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, log)
        yield address, token
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/login", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"Jupyter did not start: {log.read_text()}")


def screenshot(page: Page, name: str) -> Path:
    """Keep what the page looks like, for a person to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    return path
