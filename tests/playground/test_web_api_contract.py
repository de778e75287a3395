"""What Slack's own client may expect of a Slack, asked of our playground and of somebody else's emulator.

The emulator is the npm package `emulate`, which knows the Web API from its own reading of Slack's documentation: where
both agree, neither has invented it. Where it knows less, KNOWN_GAPS says so.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from tests.playground.rig import Rig, free_port, modal, section, wait_until

EMULATE = "emulate@0.11.2"
EMULATE_TOKEN = "xoxb-contract"
SEED = """\
slack:
  team: {name: Northwind, domain: playground}
  users:
    - {name: sam, real_name: Sam Rivera, email: sam@northwind.example}
  channels:
    - {name: alerts, topic: Every production alert}
  bots:
    - {name: socmon}
"""

# What the emulator does not do, by the test's name. Each was seen by running it.
KNOWN_GAPS = {
    "test_a_wrong_token_is_refused": "any token is taken for an admin's",
    "test_fifty_one_blocks_are_refused": "blocks are not validated",
    "test_an_unknown_block_type_is_refused": "blocks are not validated",
    "test_a_section_text_over_3000_characters_is_refused": "blocks are not validated",
    "test_user_groups_can_be_listed": "usergroups.list is missing",
    "test_socket_mode_needs_an_app_token": "apps.connections.open is missing",
    "test_an_unknown_method_is_named": "unknown methods are a plain 404",
}


@dataclass
class Peer:
    """A Slack to talk to."""

    name: str
    client: WebClient
    alerts: str

    def trigger_id(self, rig: Rig | None) -> str:
        if rig is not None:
            return rig.playground.workspace.tickets.trigger("U0SAM")
        answer = self.client.api_call("views.generateTriggerId")
        return str(answer["trigger_id"])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    program = _emulate_program()
    seed = tmp_path_factory.mktemp("emulate") / "seed.yaml"
    seed.write_text(SEED)
    with _emulate_running(program, seed) as url:
        client = WebClient(token=EMULATE_TOKEN, base_url=f"{url}/api/", retry_handlers=[], timeout=10)
        channels = client.conversations_list()["channels"]
        alerts = next(channel["id"] for channel in channels if channel["name"] == "alerts")
        yield Peer("emulate", client, alerts)


@pytest.fixture(params=["playground", "emulate"])
def peer(request: pytest.FixtureRequest) -> Peer:
    if request.param == "playground":
        rig: Rig = request.getfixturevalue("rig")
        return Peer("playground", rig.client(), "C0ALERTS")
    gap = KNOWN_GAPS.get(request.node.originalname)
    if gap:
        request.applymarker(pytest.mark.xfail(reason=f"known gap of {EMULATE}: {gap}", strict=True))
    found: Peer = request.getfixturevalue("emulator")
    return found


@pytest.fixture
def own_rig(peer: Peer, request: pytest.FixtureRequest) -> Rig | None:
    return request.getfixturevalue("rig") if peer.name == "playground" else None


def refusal(error: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(error.value.response["error"])


def test_the_token_says_who_the_bot_is(peer: Peer) -> None:
    answer = peer.client.auth_test()

    assert answer["ok"]
    assert {"team", "team_id", "user", "user_id", "url"} <= answer.data.keys()  # type: ignore[union-attr]


def test_a_wrong_token_is_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.auth_test(token="xoxb-somebody-else")

    assert refusal(error) == "invalid_auth"


def test_a_posted_message_can_be_found_again_with_its_metadata(peer: Peer) -> None:
    metadata = {"event_type": "socmon_alert", "event_payload": {"alert_id": 7}}
    posted = peer.client.chat_postMessage(
        channel=peer.alerts, text="fallback", blocks=[section("*A-7*")], metadata=metadata
    )

    found = peer.client.conversations_history(
        channel=peer.alerts, oldest=posted["ts"], inclusive=True, include_all_metadata=True
    )["messages"][0]

    assert found["ts"] == posted["ts"]
    assert found["text"] == "fallback"
    assert found["blocks"][0]["text"]["text"] == "*A-7*"
    assert found["metadata"] == metadata


def test_message_ids_are_unique_and_rise(peer: Peer) -> None:
    ids = [peer.client.chat_postMessage(channel=peer.alerts, text=f"message {n}")["ts"] for n in range(5)]

    assert ids == sorted(set(ids))


def test_a_reply_is_in_its_thread_and_counted_at_the_parent(peer: Peer) -> None:
    parent = peer.client.chat_postMessage(channel=peer.alerts, text="parent")
    reply = peer.client.chat_postMessage(channel=peer.alerts, text="reply", thread_ts=parent["ts"])

    thread = peer.client.conversations_replies(channel=peer.alerts, ts=parent["ts"])["messages"]

    assert [message["ts"] for message in thread] == [parent["ts"], reply["ts"]]
    assert thread[0]["reply_count"] == 1
    assert thread[1]["thread_ts"] == parent["ts"]


def test_an_updated_message_shows_its_new_text(peer: Peer) -> None:
    posted = peer.client.chat_postMessage(channel=peer.alerts, text="before")
    peer.client.chat_update(channel=peer.alerts, ts=posted["ts"], text="after")

    found = peer.client.conversations_history(channel=peer.alerts, oldest=posted["ts"], inclusive=True)[
        "messages"
    ][0]

    assert found["text"] == "after"
    assert found["ts"] == posted["ts"]


def test_a_message_that_is_not_there_cannot_be_updated(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.chat_update(channel=peer.alerts, ts="1600000000.000100", text="after")

    assert refusal(error) == "message_not_found"


def test_a_deleted_message_is_gone(peer: Peer) -> None:
    posted = peer.client.chat_postMessage(channel=peer.alerts, text="soon gone")

    peer.client.chat_delete(channel=peer.alerts, ts=posted["ts"])

    left = peer.client.conversations_history(channel=peer.alerts, limit=10)["messages"]
    assert posted["ts"] not in [message["ts"] for message in left]


def test_an_unknown_channel_is_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.chat_postMessage(channel="C0NOWHERE", text="hello?")

    assert refusal(error) == "channel_not_found"


def test_a_message_without_content_is_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.api_call("chat.postMessage", json={"channel": peer.alerts})

    assert refusal(error) == "no_text"


def test_a_message_has_a_permalink(peer: Peer) -> None:
    posted = peer.client.chat_postMessage(channel=peer.alerts, text="look here")

    link = peer.client.chat_getPermalink(channel=peer.alerts, message_ts=posted["ts"])["permalink"]

    assert f"/archives/{peer.alerts}/p{posted['ts'].replace('.', '')}" in link


def test_a_whisper_is_in_no_history(peer: Peer) -> None:
    user = peer.client.users_lookupByEmail(email="sam@northwind.example")["user"]["id"]
    before = peer.client.conversations_history(channel=peer.alerts, limit=100)["messages"]

    answer = peer.client.chat_postEphemeral(channel=peer.alerts, user=user, text="only you")

    after = peer.client.conversations_history(channel=peer.alerts, limit=100)["messages"]
    assert answer["message_ts"]
    assert len(before) == len(after)


def test_people_are_found_by_their_address(peer: Peer) -> None:
    user = peer.client.users_lookupByEmail(email="sam@northwind.example")["user"]

    assert user["name"] == "sam"
    assert peer.client.users_info(user=user["id"])["user"]["real_name"] == "Sam Rivera"


def test_an_unknown_address_is_nobody(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.users_lookupByEmail(email="nobody@northwind.example")

    assert refusal(error) == "users_not_found"


def test_an_unknown_id_is_nobody(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.users_info(user="U0NOBODY")

    assert refusal(error) == "user_not_found"


def test_channels_are_listed_page_by_page(peer: Peer) -> None:
    names: list[str] = []
    for page in peer.client.conversations_list(limit=1):
        names.extend(channel["name"] for channel in page["channels"])

    assert "alerts" in names
    assert len(names) == len(set(names))


def test_history_comes_newest_first_and_page_by_page(peer: Peer) -> None:
    ids = [peer.client.chat_postMessage(channel=peer.alerts, text=f"message {n}")["ts"] for n in range(5)]

    found: list[str] = []
    for page in peer.client.conversations_history(channel=peer.alerts, limit=2):
        found.extend(message["ts"] for message in page["messages"])

    assert [ts for ts in found if ts in ids] == ids[::-1]


def test_a_file_arrives_in_the_channel(peer: Peer) -> None:
    answer = peer.client.files_upload_v2(
        channel=peer.alerts, filename="log.csv", content="a,b\n1,2\n", title="Alert log"
    )

    file: dict[str, Any] = answer["file"]
    assert file["id"].startswith("F")
    assert peer.client.files_info(file=file["id"])["file"]["name"] == "log.csv"


def test_one_reaction_is_enough(peer: Peer) -> None:
    posted = peer.client.chat_postMessage(channel=peer.alerts, text="well done")
    peer.client.reactions_add(channel=peer.alerts, timestamp=posted["ts"], name="eyes")

    with pytest.raises(SlackApiError) as error:
        peer.client.reactions_add(channel=peer.alerts, timestamp=posted["ts"], name="eyes")

    assert refusal(error) == "already_reacted"


def test_a_message_can_be_pinned(peer: Peer) -> None:
    posted = peer.client.chat_postMessage(channel=peer.alerts, text="scope")

    assert peer.client.pins_add(channel=peer.alerts, timestamp=posted["ts"])["ok"]


def test_a_view_opens_once_per_trigger(peer: Peer, own_rig: Rig | None) -> None:
    trigger = peer.trigger_id(own_rig)
    opened = peer.client.views_open(trigger_id=trigger, view=modal())

    with pytest.raises(SlackApiError) as error:
        peer.client.views_open(trigger_id=trigger, view=modal())

    assert refusal(error) == "exchanged_trigger_id"
    assert opened["view"]["id"].startswith("V")
    assert opened["view"]["hash"]


def test_a_view_is_updated_by_its_id(peer: Peer, own_rig: Rig | None) -> None:
    opened = peer.client.views_open(trigger_id=peer.trigger_id(own_rig), view=modal())["view"]

    updated = peer.client.views_update(view_id=opened["id"], view=modal(section("new")))["view"]

    assert updated["id"] == opened["id"]
    assert updated["blocks"][0]["text"]["text"] == "new"


def test_fifty_one_blocks_are_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.chat_postMessage(channel=peer.alerts, text="many", blocks=[section()] * 51)

    assert refusal(error) == "invalid_blocks"


def test_an_unknown_block_type_is_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.chat_postMessage(channel=peer.alerts, text="odd", blocks=[{"type": "marquee"}])

    assert refusal(error) == "invalid_blocks"


def test_a_section_text_over_3000_characters_is_refused(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.chat_postMessage(channel=peer.alerts, text="long", blocks=[section("x" * 3001)])

    assert refusal(error) == "invalid_blocks"


def test_user_groups_can_be_listed(peer: Peer) -> None:
    assert isinstance(peer.client.usergroups_list()["usergroups"], list)


def test_socket_mode_needs_an_app_token(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.apps_connections_open(app_token="xoxb-playground")

    assert refusal(error) == "not_allowed_token_type"


def test_an_unknown_method_is_named(peer: Peer) -> None:
    with pytest.raises(SlackApiError) as error:
        peer.client.api_call("chat.shout")

    assert refusal(error) == "unknown_method"


def _emulate_program() -> Path:
    """The emulator's program, installed once into the user's cache. Skips where it cannot be had."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here, so {EMULATE} cannot run")
    folder = Path.home() / ".cache" / "socmon-tests" / EMULATE
    program = folder / "node_modules" / "emulate" / "dist" / "index.js"
    if not program.exists():
        _install(folder)
    return program


def _install(folder: Path) -> None:
    """Install beside the place and move it there whole, since several test processes may do so at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as fresh:
        command = ["npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--silent"]
        command += ["--fetch-retries", "0", EMULATE]  # where npm reaches nothing, that is known at once
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install {EMULATE}: {done.stderr.strip()[:200]}")
        with suppress(OSError):  # another process was faster
            Path(fresh).rename(folder)
        Path(fresh).mkdir(exist_ok=True)


@contextmanager
def _emulate_running(program: Path, seed: Path) -> Iterator[str]:
    port = free_port()
    command = ["node", str(program), "start", "-s", "slack", "-p", str(port), "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), what=f"{EMULATE} answers", seconds=20)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/api/api.test", timeout=1):
            return True
    except (URLError, OSError) as error:
        return getattr(error, "code", None) is not None
