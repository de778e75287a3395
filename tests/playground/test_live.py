"""A page hears of every change that is for its person's eyes, and catches up when it was away."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.playground.live import MOST_WAITING, Live
from bot.playground.messages import Message
from bot.playground.workspace import Change, Workspace
from tests.playground.rig import HandClock, Rig, wait_until


class Page:
    """A page's stream, read in the background."""

    def __init__(self, rig: Rig, user: str, since: int) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._client = httpx.Client(timeout=10)
        url = f"{rig.url}/playground/events"
        request = self._client.build_request("GET", url, params={"user": user, "since": since})
        self._response = self._client.send(request, stream=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kind = ""
        try:
            for line in self._response.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((kind, json.loads(line.removeprefix("data: "))))
        except httpx.HTTPError:
            return

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events if kind != "request"]

    def close(self) -> None:
        self._client.close()
        self._thread.join(2)


@pytest.fixture
def pages(rig: Rig) -> Iterator[dict[str, Page]]:
    number = rig.state()["number"]
    pages = {user: Page(rig, user, number) for user in ("U0SAM", "U0KIM")}
    wait_until(
        lambda: all("hello" in page.kinds() for page in pages.values()), what="the pages are connected"
    )
    yield pages
    # The stream ends at its next word, so that no reader is left hanging.
    loop = rig.served.loop
    assert loop is not None
    loop.call_soon_threadsafe(rig.playground.live.hang_up)
    for page in pages.values():
        page.close()


def test_everybody_hears_of_a_message_and_one_person_of_a_whisper(rig: Rig, pages: dict[str, Page]) -> None:
    rig.client().chat_postMessage(channel="C0ALERTS", text="for all")
    rig.client().chat_postEphemeral(channel="C0ALERTS", user="U0SAM", text="for Sam")
    rig.client().chat_postMessage(channel="C0ALERTS", text="the end")

    for page in pages.values():
        wait_until(lambda page=page: page.kinds().count("message") == 2, what="the page has heard")  # type: ignore[misc]
    assert pages["U0SAM"].kinds() == ["hello", "message", "ephemeral", "message"]
    assert pages["U0KIM"].kinds() == ["hello", "message", "message"]


def test_an_edit_is_a_change_and_rings_nobody(rig: Rig, pages: dict[str, Page]) -> None:
    ts = rig.client().chat_postMessage(channel="C0ALERTS", text="<@U0SAM>")["ts"]
    rig.client().chat_update(channel="C0ALERTS", ts=ts, text="<@U0SAM> again")

    wait_until(lambda: "message_changed" in pages["U0SAM"].kinds(), what="the page has heard")
    assert pages["U0SAM"].kinds() == ["hello", "message", "notification", "message_changed"]


def test_a_late_page_hears_what_happened_meanwhile(rig: Rig) -> None:
    number = rig.state()["number"]
    rig.client().chat_postMessage(channel="C0ALERTS", text="meanwhile")

    page = Page(rig, "U0SAM", number)
    wait_until(lambda: "hello" in page.kinds(), what="the page is connected")
    loop = rig.served.loop
    assert loop is not None
    loop.call_soon_threadsafe(rig.playground.live.hang_up)
    page.close()

    assert page.kinds() == ["message", "hello"]


async def test_a_page_from_another_life_is_told_to_start_over() -> None:
    live = Live(Workspace(HandClock()))

    first = await anext(live.stream("U0SAM", since=10))

    assert "event: stale" in first


async def test_a_page_that_does_not_read_is_told_to_start_over() -> None:
    workspace = Workspace(HandClock())
    live = Live(workspace)
    stream = live.stream("U0SAM", since=0)
    hello = await anext(stream)
    for _ in range(MOST_WAITING + 1):
        workspace.tell("read", {})

    next_word = await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]

    assert "event: hello" in hello
    assert "event: stale" in next_word


def test_listeners_hear_in_order() -> None:
    workspace = Workspace(HandClock())
    heard: list[Change] = []
    workspace.listeners.append(heard.append)

    message = workspace.post(
        Message(ts=workspace.new_ts(), channel="C0ALERTS", user="U0SOCMON", text="<@U0SAM>")
    )
    workspace.edited(message)

    assert [change.kind for change in heard] == ["message", "notification", "message_changed"]


def test_message_ids_rise_on_a_clock_that_stands_still() -> None:
    workspace = Workspace(HandClock())

    ids = [workspace.new_ts() for _ in range(1000)]

    assert ids == sorted(set(ids))


def test_old_messages_come_page_by_page(rig: Rig) -> None:
    for number in range(130):
        rig.playground.workspace.say("U0SAM", "C0ALERTS", str(number))

    newest = rig.channel()
    page = rig.http.get("older", params={"channel": "C0ALERTS", "before": newest["messages"][0]["ts"]}).json()

    assert [message["text"] for message in newest["messages"]] == [str(n) for n in range(30, 130)]
    assert [message["text"] for message in page["messages"]] == [str(n) for n in range(30)]
    assert (newest["has_older"], page["has_older"]) == (True, False)
