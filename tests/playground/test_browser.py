"""A person at the playground, in a real Chromium: what they see, press and type, with a small bot behind it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.playground.rig import (
    Rig,
    WallClock,
    actions,
    button,
    home,
    modal,
    plain,
    section,
    text_input,
    wait_until,
)

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
Body = dict[str, Any]
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def wall_rig() -> Iterator[Rig]:
    rig = Rig(clock=WallClock())
    yield rig
    rig.stop()


@pytest.fixture
def slack(wall_rig: Rig) -> Rig:
    wall_rig.reset()
    return wall_rig


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, slack: Rig) -> Iterator[Visit]:
    """Open the playground as a person; the test fails when the page complains in its console."""
    contexts = []
    complaints: list[str] = []

    def open_page(user: str = "U0SAM", *, at: str = "", viewport: dict[str, int] | None = None) -> Page:
        context = browser.new_context(viewport=viewport or DESKTOP, reduced_motion="reduce")  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(f"localStorage.persona ??= '{user}'")
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{slack.url}/playground/{at}")
        page.wait_for_selector(".page")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def bot_says(
    slack: Rig, text: str = "fallback", *blocks: Body, channel: str = "C0ALERTS", **more: Any
) -> str:
    answer = slack.client().chat_postMessage(channel=channel, text=text, blocks=list(blocks) or None, **more)
    return str(answer["ts"])


def message(page: Page, text: str) -> Locator:
    return page.locator("main li.message").filter(has_text=text)


def alert(slack: Rig, number: int = 7) -> str:
    """A small alert that can be acknowledged, as a bot would post it."""

    @slack.bolt.action("ack")
    async def acknowledge(ack: Any, body: Body, client: Any) -> None:
        await ack()
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        done = [section(f":large_yellow_circle: *Acknowledged by <@{body['user']['id']}>*")]
        await client.chat_update(channel=channel, ts=ts, text="acknowledged", blocks=done)

    label = {
        "accessibility_label": f"Acknowledge A-{number}",
        "text": plain("Acknowledge"),
        "style": "primary",
    }
    return bot_says(
        slack,
        f"SEV1 firing: prod-db-1. Owner <@U0SAM>. A-{number}",
        section(f":red_circle: *SEV1 · Firing · prod-db-1* — A-{number}, owner <@U0SAM>"),
        actions(button("ack", **label)),
    )


def test_a_first_visitor_is_led_to_the_first_alert(slack: Rig, visit: Visit) -> None:
    page = visit()
    expect(page.get_by_role("heading", name="All quiet in #alerts")).to_be_visible()

    page.get_by_role("button", name="Trigger an alert").click()

    wait_until(lambda: slack.deliveries, what="the bot has the delivery")


def test_every_source_says_what_it_was_answered(slack: Rig, visit: Visit) -> None:
    page = visit()

    page.get_by_role("button", name="Sources", exact=True).first.click()
    page.get_by_role("button", name="tiny: Trigger").click()

    expect(page.get_by_role("region", name="tiny").get_by_role("status")).to_contain_text("202")
    wait_until(lambda: slack.deliveries, what="the bot has the delivery")


def test_an_alert_arrives_live_and_is_acknowledged_with_one_click(slack: Rig, visit: Visit) -> None:
    page = visit()
    alert(slack)

    page.get_by_role("button", name="Acknowledge A-7").click()

    expect(message(page, "Acknowledged by @Sam Rivera")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge A-7")).to_have_count(0)
    # The button is gone; the focus stays on its message instead of falling back to the top of the page.
    expect(message(page, "Acknowledged")).to_be_focused()


def test_a_click_the_bot_does_not_answer_is_shown_as_failed(slack: Rig, visit: Visit) -> None:
    page = visit()
    bot_says(slack, "x", actions(button("nobody")))

    page.get_by_role("button", name="Go").click()

    expect(page.locator(".toast.danger")).to_contain_text("did not work")
    # 404 from Bolt is the bot's answer, which the page's own requests must not fail with.


def form(slack: Rig, *blocks: Body, **more: Any) -> list[Body]:
    """A button that opens a form; returns the list that gets what was submitted."""
    submitted: list[Body] = []

    @slack.bolt.action("open")
    async def open_form(ack: Any, body: Body, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks, **more))

    @slack.bolt.view("form")
    async def submit(ack: Any, view: Body) -> None:
        values = view["state"]["values"]
        if values.get("note", {}).get("text", {}).get("value") == "fixed":
            await ack(response_action="errors", errors={"note": "Say what you found."})
            return
        await ack()
        submitted.append(values)

    bot_says(slack, "x", actions(button("open", text=plain("Resolve…"))))
    return submitted


def test_a_form_can_be_filled_without_a_mouse(slack: Rig, visit: Visit) -> None:
    submitted = form(slack, text_input("more"), text_input(multiline=True, focus_on_load=True))
    page = visit()

    page.get_by_role("button", name="Resolve…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="A form")
    expect(dialog.get_by_role("textbox").nth(1)).to_be_focused()
    page.keyboard.type("fixed")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("everything")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_text("Say what you found.")).to_be_visible()
    expect(dialog.get_by_role("textbox").nth(1)).to_be_focused()
    expect(dialog.get_by_role("textbox").nth(0)).to_have_value("everything")
    page.keyboard.press("Control+A")
    page.keyboard.type("a long ANALYZE")
    page.keyboard.press("Meta+Enter")

    expect(dialog).to_have_count(0)
    assert submitted[0]["note"]["text"]["value"] == "a long ANALYZE"
    assert submitted[0]["more"]["text"]["value"] == "everything"


def test_escape_closes_a_form_and_the_bot_hears_of_it(slack: Rig, visit: Visit) -> None:
    closed: list[str] = []

    @slack.bolt.view_closed("form")
    async def closing(ack: Any, view: Body) -> None:
        await ack()
        closed.append(view["callback_id"])

    form(slack, notify_on_close=True)
    page = visit()
    page.get_by_role("button", name="Resolve…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_until(lambda: closed, what="the bot has heard of the closing")


def test_what_was_typed_survives_the_bots_update(slack: Rig, visit: Visit) -> None:
    form(slack, text_input(), section("before"))
    page = visit()
    page.get_by_role("button", name="Resolve…").click()
    page.get_by_role("textbox", name="Note").fill("half a thought")
    view = slack.state()["views"][0]
    slack.client().views_update(view_id=view["id"], view=modal(text_input(), section("after")))

    expect(page.get_by_role("dialog").get_by_text("after")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("half a thought")
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()


def test_focus_stays_inside_a_form(slack: Rig, visit: Visit) -> None:
    form(slack)
    page = visit()
    page.get_by_role("button", name="Resolve…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )


def test_every_kind_of_field_tells_its_value(slack: Rig, visit: Visit) -> None:
    @slack.bolt.options("component")
    async def find(ack: Any, payload: Body) -> None:
        names = [name for name in ("prod-db-1", "cache-2") if payload["value"] in name]
        await ack(options=[{"text": plain(name), "value": name} for name in names])

    options = [{"text": plain(text), "value": text.lower()} for text in ("Capacity", "Deploy")]
    fields: dict[str, Body] = {
        "Cause": {"type": "static_select", "action_id": "cause", "options": options},
        "Causes": {"type": "multi_static_select", "action_id": "causes", "options": options},
        "Owner": {"type": "users_select", "action_id": "owner"},
        "Component": {"type": "external_select", "action_id": "component", "min_query_length": 0},
        "Security": {"type": "checkboxes", "action_id": "security", "options": options},
        "Choice": {"type": "radio_buttons", "action_id": "choice", "options": options},
        "Due": {"type": "datepicker", "action_id": "due"},
        "When": {"type": "datetimepicker", "action_id": "when"},
        "Link": {"type": "url_text_input", "action_id": "link"},
        "Count": {"type": "number_input", "action_id": "count", "is_decimal_allowed": False},
    }
    blocks = [
        {"type": "input", "block_id": name, "label": plain(name), "element": element}
        for name, element in fields.items()
    ]
    submitted = form(slack, *blocks)
    page = visit()
    page.get_by_role("button", name="Resolve…").click()
    dialog = page.get_by_role("dialog", name="A form")

    expect(dialog.get_by_role("combobox").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("option", name="Capacity")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog.get_by_role("combobox", name="Causes").click()
    dialog.get_by_role("option", name="Capacity").click()
    dialog.get_by_role("option", name="Deploy").click()
    page.keyboard.press("Escape")
    dialog.get_by_role("combobox", name="Owner").click()
    dialog.get_by_role("option", name="Kim Okafor").click()
    dialog.get_by_role("combobox", name="Component").click()
    dialog.get_by_role("combobox", name="Search").fill("db")
    expect(dialog.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    dialog.get_by_label("Security").get_by_text("Capacity").click()
    dialog.get_by_label("Choice").get_by_text("Deploy").click()
    dialog.get_by_label("Due").fill("2026-11-27")
    dialog.get_by_label("When").fill("2026-11-27T09:00")
    dialog.get_by_label("Link").fill("https://wiki.example.com")
    dialog.get_by_label("Count").fill("3")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_have_count(0)

    told = {name: value for block in submitted[0].values() for name, value in block.items()}
    assert told["cause"]["selected_option"]["value"] == "deploy"
    assert [option["value"] for option in told["causes"]["selected_options"]] == ["capacity", "deploy"]
    assert told["owner"]["selected_user"] == "U0KIM"
    assert told["component"]["selected_option"]["value"] == "prod-db-1"
    assert [option["value"] for option in told["security"]["selected_options"]] == ["capacity"]
    assert told["choice"]["selected_option"]["value"] == "deploy"
    assert told["due"]["selected_date"] == "2026-11-27"
    assert isinstance(told["when"]["selected_date_time"], int)
    assert told["link"]["value"] == "https://wiki.example.com"
    assert told["count"]["value"] == "3"


def test_a_confirmation_asks_before_anything_is_sent(slack: Rig, visit: Visit) -> None:
    heard: list[str] = []

    @slack.bolt.action("all")
    async def everything(ack: Any, action: Body) -> None:
        await ack()
        heard.append(action["value"])

    ask = {"title": plain("Sure?"), "text": plain("All 37"), "confirm": plain("Do it"), "deny": plain("No")}
    bot_says(slack, "x", actions(button("all", confirm=ask)))
    page = visit()
    page.get_by_role("button", name="Go").click()
    page.get_by_role("dialog", name="Sure?").get_by_role("button", name="No").click()
    before = list(heard)
    page.get_by_role("button", name="Go").click()
    page.get_by_role("dialog", name="Sure?").get_by_role("button", name="Do it").click()
    wait_until(lambda: heard, what="the bot has heard of it")

    assert (before, heard) == ([], ["1"])


def test_an_overflow_menu_works_with_the_keyboard(slack: Rig, visit: Visit) -> None:
    heard: list[str] = []

    @slack.bolt.action("more")
    async def more(ack: Any, action: Body) -> None:
        await ack()
        heard.append(action["selected_option"]["value"])

    options = [{"text": plain(text), "value": text} for text in ("Snooze", "Reassign", "Escalate")]
    bot_says(slack, "x", actions({"type": "overflow", "action_id": "more", "options": options}))
    page = visit()
    page.get_by_role("button", name="More actions", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_until(lambda: heard, what="the bot has heard of it")

    assert heard == ["Reassign"]


def test_enter_opens_a_thread_and_a_reply_stays_in_it(slack: Rig, visit: Visit) -> None:
    alert(slack)
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    thread = page.get_by_role("complementary", name="Thread")
    thread.get_by_role("textbox", name="Reply…").fill("long ANALYZE, *killed* it")
    page.keyboard.press("Enter")

    expect(thread.locator("li.message").last).to_contain_text("long ANALYZE, killed it")
    expect(page.locator("main .thread-summary")).to_contain_text("1 reply")
    assert slack.channel()["messages"][0]["reply_count"] == 1
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(thread).to_have_count(0)


def test_a_slash_command_is_answered_to_its_writer_alone(slack: Rig, visit: Visit) -> None:
    @slack.bolt.command("/socmon")
    async def socmon(ack: Any, command: Body) -> None:
        await ack(f"You asked for *{command['text']}*")

    sam, kim = visit("U0SAM"), visit("U0KIM")
    box = sam.get_by_role("textbox", name="Message #alerts")
    box.type("/")
    expect(sam.get_by_role("option", name="/socmon")).to_be_visible()
    sam.keyboard.press("Tab")
    sam.keyboard.type("status")
    sam.keyboard.press("Enter")

    expect(message(sam, "You asked for status")).to_contain_text("Only visible to you")
    expect(message(kim, "You asked for status")).to_have_count(0)
    message(sam, "You asked").get_by_role("button", name="Dismiss").click()
    expect(message(sam, "You asked")).to_have_count(0)


def test_the_message_shortcut_is_in_the_messages_menu(slack: Rig, visit: Visit) -> None:
    heard: list[str] = []

    @slack.bolt.shortcut("sc_add_note")
    async def note(ack: Any, shortcut: Body) -> None:
        await ack()
        heard.append(shortcut["message"]["text"])

    slack.act("write", channel="C0ALERTS", text="killed pid 3112")
    page = visit()
    message(page, "killed pid").hover()
    message(page, "killed pid").get_by_role("button", name="Add to alert record").click()
    wait_until(lambda: heard, what="the bot has heard of it")

    assert heard == ["killed pid 3112"]


def test_a_mention_rings_the_one_and_an_edit_nobody(slack: Rig, visit: Visit) -> None:
    page = visit("U0KIM", at="#/archives/C0GENERAL")
    ts = bot_says(slack, "Owner <@U0KIM>")
    expect(page.locator(".toast")).to_contain_text("Owner @Kim Okafor")
    badge = page.get_by_role("link", name="alerts").locator(".badge")
    expect(badge).to_have_text("1")
    slack.client().chat_update(channel="C0ALERTS", ts=ts, text="Owner <@U0KIM>, still")
    bot_says(slack, "For nobody in particular")
    page.wait_for_timeout(300)

    expect(badge).to_have_text("1")
    page.get_by_role("link", name="alerts").click()
    expect(badge).to_have_count(0)


def test_one_can_be_somebody_else(slack: Rig, visit: Visit) -> None:
    bot_says(slack, "For <@U0LEAD>")
    page = visit("U0SAM")

    page.get_by_role("button", name="Acting as Sam Rivera").click()
    page.get_by_role("menuitem", name=re.compile("Ana Ruiz")).click()

    expect(page.get_by_role("button", name="Acting as Ana Ruiz")).to_be_visible()
    expect(message(page, "For @Ana Ruiz").locator(".mention.mine")).to_be_visible()


def test_the_home_is_filled_and_refreshed(slack: Rig, visit: Visit) -> None:
    @slack.bolt.event("app_home_opened")
    async def opened(event: Body, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=home(section("Needs you now")))

    page = visit()
    page.get_by_role("link", name="socmon").click()
    expect(page.get_by_text("Needs you now")).to_be_visible()
    slack.client().views_publish(user_id="U0SAM", view=home(section("All done")))

    expect(page.get_by_text("All done")).to_be_visible()
    page.get_by_role("link", name="Messages", exact=True).click()
    expect(page.get_by_text("socmon writes here.")).to_be_visible()


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_hostile_text_is_only_text(slack: Rig, visit: Visit) -> None:
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    bot_says(
        slack,
        escaped,
        section(f"{escaped} <javascript:alert(3)|click>"),
        {"type": "header", "text": plain(HOSTILE)},
        {"type": "markdown", "text": f"[x](javascript:alert(4)) {HOSTILE}"},
        actions(button("a", text=plain(HOSTILE[:75]), url="javascript:alert(5)")),
    )
    slack.act("write", channel="C0ALERTS", text=f"typed {HOSTILE}")
    page = visit()
    expect(message(page, "typed")).to_contain_text(HOSTILE)

    assert page.locator("main img, main script").count() == 0
    assert page.locator("[href^='javascript:' i]").count() == 0


MRKDWN = {
    "*bold* _it_ ~no~ `code`": "<strong>bold</strong> <em>it</em> <s>no</s> <code>code</code>",
    "*SEV1 · _x_*": "<strong>SEV1 · <em>x</em></strong>",
    "snake_case_name 2*3*4": "snake_case_name 2*3*4",
    "* not bold *": "* not bold *",
    "a\nb": "a<br>b",
    "&lt;b&gt; &amp;amp;": "&lt;b&gt; &amp;amp;",
    "`*no*`": "<code>*no*</code>",
    "```a < b\n*no*```": "<pre><code>a &lt; b\n*no*</code></pre>",
    "&gt; said\nend": "<blockquote>said</blockquote>end",
    "<https://e.com|a *b*>": (
        '<a href="https://e.com" target="_blank" rel="noopener noreferrer">a <strong>b</strong></a>'
    ),
    "<#C0SOC2>": '<a class="mention" href="#/archives/C0SOC2">#soc2-monitoring</a>',
    "<@U0KIM> <@U0SAM>": (
        '<span class="mention">@Kim Okafor</span> <span class="mention mine">@Sam Rivera</span>'
    ),
    "<!subteam^S0ONCALL>": '<span class="mention mine">@oncall</span>',
    "<!date^soon^{date}|later>": "later",
    ":no_such_emoji: 10:30:00": ":no_such_emoji: 10:30:00",
    ":red_circle:": '<span class="emoji" role="img" aria-label="red circle">🔴</span>',
}


def test_mrkdwn_is_read_as_slack_reads_it(visit: Visit) -> None:
    page = visit()
    script = """async (text) => {
      const { mrkdwn } = await import("/playground/static/mrkdwn.js");
      const box = document.createElement("div");
      box.append(...mrkdwn(text));
      return box.innerHTML;
    }"""

    assert {text: page.evaluate(script, text) for text in MRKDWN} == MRKDWN


def test_dates_are_in_the_readers_own_time(slack: Rig, visit: Visit) -> None:
    now = int(slack.clock.now().timestamp())
    bot_says(slack, "x", section(f"due <!date^{now}^{{date_short_pretty}} at {{time}}|14:02 UTC>"))
    page = visit()

    expect(message(page, "due today at")).to_have_text(re.compile(r"due today at \d\d:\d\d"))
    expect(page.locator("main .text time")).to_have_attribute("title", "14:02 UTC")


def test_every_block_is_drawn(slack: Rig, visit: Visit) -> None:
    rich = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "rich", "style": {"bold": True}}],
    }
    cell = [{"type": "raw_text", "text": text} for text in ("Component", "CPU")]
    bot_says(
        slack,
        "x",
        {"type": "header", "text": plain("A header")},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Owner*\nSam"}]},
        section("beside", accessory=button("b", text=plain("Accessory"))),
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "a context"}]},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "CPU, peak 93 %"},
        {"type": "rich_text", "elements": [rich]},
        {"type": "markdown", "text": "# Big\n- one\n- two"},
        {"type": "table", "rows": [cell, cell]},
    )
    item = visit().locator("main li.message")

    expect(item.get_by_role("heading", name="A header")).to_be_visible()
    expect(item.get_by_role("button", name="Accessory")).to_be_visible()
    expect(item.get_by_role("separator")).to_have_count(1)
    expect(item.get_by_text("CPU, peak 93 %").first).to_be_visible()
    expect(item.get_by_role("columnheader", name="Component")).to_be_visible()
    expect(item.get_by_role("heading", name="Big")).to_be_visible()
    expect(item.get_by_role("listitem")).to_have_count(2)
    expect(item.locator("strong", has_text="rich")).to_be_visible()


def test_a_page_that_comes_late_sees_it_all(slack: Rig, visit: Visit) -> None:
    parent = alert(slack)
    bot_says(slack, "in the thread", thread_ts=parent)

    page = visit(at=f"#/archives/C0ALERTS/p{parent.replace('.', '')}")

    expect(message(page, "SEV1 · Firing")).to_be_focused()
    expect(page.locator("main .thread-summary")).to_contain_text("1 reply")


def test_what_is_new_is_marked_when_one_comes_back(slack: Rig, visit: Visit) -> None:
    first = bot_says(slack, "old")
    slack.act("read", channel="C0ALERTS", ts=first)
    bot_says(slack, "new")
    page = visit(at="#/archives/C0GENERAL")

    expect(page.locator(".sidebar-entry.unread", has_text="alerts")).to_be_visible()
    page.get_by_role("link", name="alerts").click()
    expect(page.get_by_role("separator", name="New messages")).to_be_visible()
    expect(page.locator(".sidebar-entry.unread", has_text="alerts")).to_have_count(0)


def test_faults_are_switched_on_and_off_in_the_page(slack: Rig, visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Faults").click()
    page.get_by_role("button", name="Start: Slack is down").click()
    off = page.get_by_role("button", name="Switch off: Slack is down")
    expect(off).to_be_visible()
    started = [fault["kind"] for fault in slack.http.get("faults").json()["faults"]]
    off.click()

    expect(off).to_have_count(0)
    assert started == ["down"]
    assert slack.http.get("faults").json()["faults"] == []


def test_the_inspector_shows_what_is_inside(slack: Rig, visit: Visit) -> None:
    bot_says(
        slack, "SEV1 firing", section("shown"), metadata={"event_type": "a", "event_payload": {"id": 412}}
    )
    page = visit()
    message(page, "shown").hover()
    message(page, "shown").get_by_role("button", name="Inspect").click()
    panel = page.get_by_role("complementary", name="Inspect")

    expect(panel.get_by_text("SEV1 firing", exact=True)).to_be_visible()
    expect(panel.locator("pre").first).to_contain_text('"id": 412')


def test_the_words_of_a_screen_reader_can_be_seen(slack: Rig, visit: Visit) -> None:
    alert(slack)
    page = visit()
    words = page.locator("main .fallback")
    expect(words).to_be_hidden()
    page.get_by_role("button", name="Reader").click()

    expect(words).to_be_visible()
    expect(words).to_have_attribute("data-words", "SEV1 firing: prod-db-1. Owner @Sam Rivera. A-7")
    expect(page.locator("main .button[data-words]")).to_have_attribute("data-words", "Acknowledge A-7")


def test_the_keys_are_listed(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Next or previous message")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="soc2-monitoring").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 360, 390])
def test_a_phone_shows_it_all_without_scrolling_sideways(slack: Rig, visit: Visit, width: int) -> None:
    alert(slack)
    bot_says(slack, "wide", {"type": "markdown", "text": "x" * 300})
    page = visit(viewport={"width": width, "height": 780})
    expect(page.get_by_role("button", name="Acknowledge A-7")).to_be_visible()

    for place in (
        "#/channels",
        "#/home",
        "#/activity",
        "#/lab/sources",
        "#/lab/faults",
        "#/archives/C0ALERTS",
    ):
        page.goto(f"{slack.url}/playground/{place}")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        assert page.evaluate("document.querySelector('.frame').scrollWidth") <= width, place


def test_a_phone_goes_from_channel_to_thread_and_back(slack: Rig, visit: Visit) -> None:
    parent = alert(slack)
    bot_says(slack, "in the thread", thread_ts=parent)
    page = visit(viewport=PHONE)
    page.locator("main .thread-summary").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("in the thread")).to_be_visible()
    thread.get_by_role("link", name="Back to the channel").click()
    expect(thread).to_have_count(0)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Channels").click()

    expect(page.get_by_role("button", name="Acting as Sam Rivera")).to_be_visible()
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="general").click()
    expect(page.get_by_role("heading", name="general").first).to_be_visible()


def test_the_phone_switch_shows_the_phones_layout_on_a_desktop(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Phone").click()

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.evaluate("document.querySelector('.frame').clientWidth") == 360


def test_everything_that_can_be_pressed_has_a_name(slack: Rig, visit: Visit) -> None:
    alert(slack)
    page = visit()
    page.get_by_role("button", name="Sources").first.click()
    script = """() => [...document.querySelectorAll("button, a[href], input, textarea, select")]
      .filter((node) => node.checkVisibility())
      .filter((node) => !node.innerText && !node.ariaLabel)
      .filter((node) => !node.hasAttribute("aria-labelledby") && !node.labels?.length)
      .map((node) => node.outerHTML)"""

    assert page.evaluate(script) == []


def test_a_lost_connection_heals_by_itself(slack: Rig, visit: Visit) -> None:
    page = visit()
    loop = slack.served.loop
    assert loop is not None
    loop.call_soon_threadsafe(slack.playground.live.hang_up)
    page.wait_for_timeout(1500)
    bot_says(slack, "after the break")

    expect(message(page, "after the break")).to_be_visible()
