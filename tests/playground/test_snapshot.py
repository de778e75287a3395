"""The workspace survives a restart, and a broken file is said to be broken."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.playground import API_PATH, TOKEN, create_playground
from tests.playground.rig import SIGNING_SECRET, HandClock, Served, TinySamples, home, section, wait_until


def served(path: Path, clock: HandClock) -> Served:
    def build(url: str) -> Any:
        playground = create_playground(
            bot_url=url,
            signing_secret=SIGNING_SECRET,
            bot_token=TOKEN,
            samples={"tiny": TinySamples()},
            clock=clock,
            snapshot_path=path,
        )
        return playground.routes, [playground]

    return Served(build)


def call(slack: Served, method: str, **given: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer: dict[str, Any] = httpx.post(f"{slack.url}{API_PATH}{method}", json=given, headers=headers).json()
    assert answer["ok"], answer
    return answer


def state(slack: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{slack.url}/playground/state", params={"user": "U0SAM"}).json()
    return found


def test_messages_homes_files_and_numbers_survive_a_restart(tmp_path: Path) -> None:
    path, clock = tmp_path / "deep" / "workspace.json", HandClock()
    first = served(path, clock)
    parent = call(
        first,
        "chat.postMessage",
        channel="C0ALERTS",
        text="<@U0SAM>",
        metadata={"event_type": "a", "event_payload": {"id": 1}},
    )
    call(first, "chat.postMessage", channel="C0ALERTS", text="reply", thread_ts=parent["ts"])
    call(first, "views.publish", user_id="U0SAM", view=home(section("mine")))
    file = call(first, "files.getUploadURLExternal", filename="a.png", length=3)
    httpx.post(file["upload_url"], content=b"abc")
    call(first, "files.completeUploadExternal", files=[{"id": file["file_id"]}], channel_id="C0ALERTS")
    httpx.post(f"{first.url}/playground/sources/tiny/trigger")
    before = state(first)
    first.stop()

    second = served(path, clock)
    after = state(second)
    picture = httpx.get(f"{second.url}/playground/files/{file['file_id']}/a.png").content
    newer = call(second, "chat.postMessage", channel="C0ALERTS", text="newer")
    second.stop()

    assert after["channels"] == before["channels"]
    assert after["home"] == before["home"]
    assert after["notifications"] == before["notifications"]
    assert picture == b"abc"
    assert newer["ts"] > parent["ts"]
    assert json.loads(path.read_text())["sources"] == {"tiny": [1, 1]}


def test_a_change_is_on_disk_soon_without_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    slack = served(path, HandClock())
    call(slack, "chat.postMessage", channel="C0ALERTS", text="do not lose me")

    wait_until(lambda: path.exists() and "do not lose me" in path.read_text(), what="the file is written")
    slack.stop()

    assert not path.with_suffix(".new").exists()


def test_a_fresh_workspace_looks_lived_in(tmp_path: Path) -> None:
    slack = served(tmp_path / "workspace.json", HandClock())
    channels = {channel.get("name"): channel for channel in state(slack)["channels"]}
    slack.stop()

    assert len(channels["general"]["messages"]) == 3
    assert channels["general"]["unread"] == 0
    assert channels["alerts"]["messages"] == []


@pytest.mark.parametrize("content", ["{", '{"version": 99}'])
async def test_a_broken_file_is_not_taken_for_an_empty_workspace(tmp_path: Path, content: str) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(content)
    playground = create_playground(
        bot_url="http://127.0.0.1:1",
        signing_secret=SIGNING_SECRET,
        bot_token=TOKEN,
        samples={},
        clock=HandClock(),
        snapshot_path=path,
    )

    with pytest.raises(ValueError, match=r"workspace\.json|Expecting"):
        await playground.start()

    assert path.read_text() == content
