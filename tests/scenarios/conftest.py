"""The whole playground as a newcomer starts it, with a browser in front of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.processes import Workspace, free_port, wait_until

DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


on_a_phone_too = pytest.mark.parametrize(
    "page", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")], indirect=True
)


def picture(page: Page, folder: Path, name: str) -> None:
    """For people who want to look; pytest keeps the folder for a while."""
    page.screenshot(path=folder / f"{name}-{(page.viewport_size or {'width': 0})['width']}.png")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """`socmon playground` in a folder of its own."""
    port = free_port()
    log = tmp_path / "playground.log"
    words = [sys.executable, "-m", "bot.cli", "playground", "--port", str(port)]
    environ = {"PATH": os.environ["PATH"], "SOCMON_DATA_DIR": str(tmp_path / "data")}
    with log.open("wb") as said:
        process = subprocess.Popen(words, env=environ, stderr=said, stdout=said)
    space = Workspace(port, environ)
    try:
        wait_until(space.answers, what="the playground is open", log=log)
        yield space
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Not for the whole session: while it is open its event loop runs, and other modules need their own."""
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield chrome
        chrome.close()


@pytest.fixture(
    params=[pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone", marks=pytest.mark.nightly)]
)
def page(request: pytest.FixtureRequest, browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """Sam Rivera's page. Any error of the page's own fails the test."""
    context = browser.new_context(viewport=request.param)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.goto(workspace.url)
    yield opened
    context.close()
    assert faults == []
