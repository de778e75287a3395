"""The page is safe to open: nothing from outside runs in it, and no other page can act in it."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from bot.playground.pages import STATIC
from tests.playground.rig import Rig

SCRIPTS = sorted(STATIC.glob("*.js"))


def test_the_front_door_leads_in(rig: Rig) -> None:
    answer = httpx.get(f"{rig.url}/", follow_redirects=True)

    assert answer.url.path == "/playground/"
    assert "playground" in answer.text


def test_the_policy_allows_only_our_own_files(rig: Rig) -> None:
    policy = rig.http.get("").headers["content-security-policy"]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert (rules["script-src"], rules["style-src"], rules["connect-src"]) == ("'self'", "'self'", "'self'")
    assert "unsafe" not in policy


def test_the_page_names_only_files_that_are_there() -> None:
    class Addresses(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not any(name.startswith("on") or name == "style" for name, _ in attrs), tag
            self.found += [
                value for name, value in attrs if name in {"src", "href"} and value and value[0] == "/"
            ]

    parser = Addresses()
    parser.found = []
    parser.feed((STATIC / "index.html").read_text())

    assert parser.found
    assert {address.removeprefix("/playground/static/") for address in parser.found} <= {
        path.name for path in STATIC.iterdir()
    }


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_text_never_becomes_markup(path: object) -> None:
    text = SCRIPTS[SCRIPTS.index(path)].read_text()  # type: ignore[arg-type]

    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in text
    imported = re.findall(r'from "\./([^"]+)"', text)
    assert set(imported) <= {script.name for script in SCRIPTS}


@pytest.mark.parametrize("name", ["../app.py", "nothing.js", "%2e%2e%2fapp.py"])
def test_only_the_pages_own_files_are_served(rig: Rig, name: str) -> None:
    assert rig.http.get(f"static/{name}").status_code == 404


@pytest.mark.parametrize(
    "path", ["act/write", "faults", "reset", "sources/tiny/trigger", "fleet/stop", "fleet/look"]
)
def test_no_other_page_can_act_here(rig: Rig, path: str) -> None:
    answer = rig.http.post(path, json={"user": "U0SAM"}, headers={"Origin": "https://evil.example"})

    assert (answer.status_code, answer.json()["error"]) == (400, "foreign_origin")


def test_a_form_from_elsewhere_is_no_act(rig: Rig) -> None:
    answer = rig.http.post("act/write", data={"user": "U0SAM", "channel": "C0ALERTS", "text": "x"})

    assert answer.json()["error"] == "invalid_post_type"


@pytest.mark.parametrize(
    ("act", "given", "error"),
    [
        ("dance", {}, "unknown_act"),
        ("write", {"user": "U0NOBODY"}, "user_not_found"),
        ("write", {"channel": "C0NOPE", "text": "x"}, "channel_not_found"),
        ("write", {"channel": "C0ALERTS", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ("submit", {"view_id": "V0"}, "not_found"),
        ("click", {"channel": "C0ALERTS", "ts": "1.1"}, "message_not_found"),
    ],
)
def test_an_impossible_act_is_explained(rig: Rig, act: str, given: dict[str, str], error: str) -> None:
    answer = rig.http.post(f"act/{act}", json={"user": "U0SAM", **given})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_empty_workspace_can_be_had_again(rig: Rig) -> None:
    rig.client().chat_postMessage(channel="C0ALERTS", text="<@U0SAM>")
    rig.fault(kind="slow", seconds=60)
    rig.reset()

    assert rig.channel()["messages"] == []
    assert rig.transcript()["requests"] == []
    assert rig.http.get("faults").json()["faults"] == []
