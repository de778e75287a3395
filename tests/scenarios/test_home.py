"""App Home in the browser: an engineer at a desk tests that messages arrive, a lead looks at a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.processes import Workspace
from tests.scenarios.conftest import DESKTOP, PHONE

Visit = Callable[[str, dict[str, int]], Page]


@pytest.fixture
def visit(browser: Browser, workspace: Workspace) -> Iterator[Visit]:
    """Open somebody's Home. Any error of the page's own fails the test."""
    faults: list[str] = []
    contexts = []

    def open_home(user: str, viewport: dict[str, int]) -> Page:
        context = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(f"localStorage.persona ??= '{user}'")
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{workspace.url}#/home")
        return page

    yield open_home
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.browser
def test_an_engineer_tests_and_a_lead_looks(workspace: Workspace, visit: Visit, tmp_path: Path) -> None:
    """Send me a test, I received this, and Home says so; the lead has a part of their own, and the status."""
    workspace.fire("datadog", "trigger")
    page = visit("U0SAM", DESKTOP)
    expect(page.get_by_role("heading", name="Needs you now (1)")).to_be_visible()
    page.get_by_role("button", name="Send me a test").click()
    expect(page.get_by_text("not yet confirmed by you")).to_be_visible()
    page.get_by_role("link", name="Messages", exact=True).click()
    page.get_by_role("button", name="I received this test message").click()
    expect(page.get_by_text("you received it").first).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_text("you had it")).to_be_visible()
    page.screenshot(path=tmp_path / "engineer.png")

    phone = visit("U0LEAD", PHONE)
    expect(phone.get_by_role("heading", name="For the lead")).to_be_visible()
    phone.screenshot(path=tmp_path / "lead.png")
    phone.get_by_role("button", name="Show how socmon is doing").click()
    expect(phone.get_by_role("dialog", name="Status")).to_contain_text("Evidence log")
