"""The playground's fleet: somebody breaks it, and coverage notices."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.processes import Workspace, wait_until
from tests.scenarios.conftest import picture

AT_FIRST = "101 of 104 covered"


@pytest.mark.browser
def test_what_is_broken_is_noticed_and_what_is_mended_too(
    workspace: Workspace, page: Page, tmp_path: Path
) -> None:
    """An agent stops, a monitor is muted, whoever is on call leaves; each is undone, and it is as before."""
    page.goto(f"{workspace.url}playground/#/lab/fleet")
    panel = page.get_by_role("complementary", name="Fleet")
    expect(panel.get_by_text(AT_FIRST)).to_be_visible(timeout=30_000)
    picture(page, tmp_path, "at-first")
    wait_until(lambda: "prod-web-4" in str(workspace.messages()), what="the host in no scope is asked about")

    panel.get_by_role("combobox", name="Host", exact=True).select_option("prod-web-1")
    press(panel, "Stop its agent")
    panel.get_by_role("combobox", name="Monitor", exact=True).select_option("Data stores: CPU")
    press(panel, "Mute: Data stores: CPU")
    press(panel, "Wait, then look")
    # Five cells of the host, and the CPU of six data stores.
    expect(panel.get_by_text("90 of 104 covered")).to_be_visible()
    expect(panel.get_by_role("button", name="prod-web-1: cpu gap")).to_be_visible()
    picture(page, tmp_path, "broken")
    assert "The last value of system.cpu.user" in coverage_of(workspace, "prod-web-1")
    wait_until(
        lambda: "Data stores: CPU (Datadog) — muted" in json.dumps(workspace.messages(), ensure_ascii=False),
        what="the muted monitor is announced",
    )

    press(panel, "Deactivate: Sam Rivera's Slack account")
    press(panel, "Wait, then look")
    expect(panel.get_by_role("button", name="prod-web-2: cpu gap")).to_be_visible()
    assert "calls Sam Rivera of Platform, who cannot be reached" in coverage_of(workspace, "prod-web-2")
    picture(page, tmp_path, "nobody")

    for _ in range(3):
        press(panel, "Undo:")
    press(panel, "Wait, then look")
    expect(panel.get_by_text(AT_FIRST)).to_be_visible()


def press(panel: Locator, name: str) -> None:
    """And wait for what comes of it."""
    panel.get_by_role("button", name=name).first.click()
    expect(panel.locator(".fleet:not([aria-busy])")).to_be_visible(timeout=20_000)


def coverage_of(workspace: Workspace, component: str) -> str:
    """What `/socmon coverage` says of it."""
    known = len(workspace.transcript()["ephemerals"])
    workspace.act("write", "U0LEAD", channel="C0ALERTS", text=f"/socmon coverage {component}")
    wait_until(lambda: len(workspace.transcript()["ephemerals"]) > known, what="the command is answered")
    return json.dumps(workspace.transcript()["ephemerals"][known:], ensure_ascii=False)
