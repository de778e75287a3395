"""The parent shows what is wrong and what can be done now; the thread tells what happened."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.slack.blocks import Message, alert_message, thread_reply
from bot.adapters.slack.timeline import timeline_view
from bot.domain.alert import Alert, Cause, NoAction, Resolution, Severity, Source
from bot.domain.thread import Moment
from bot.domain.tool import ToolAct, ToolState, WriteState
from tests.adapters.slack.examples import (
    ACKNOWLEDGED,
    KINDS,
    NO_DATA,
    NOTE,
    NOW,
    OPENED,
    OWNED_RECOVERED,
    RECOVERED,
    RESOLVED,
    SNOOZED,
    STATES,
    TRIGGERED,
    assert_message,
    hostile,
    labels,
    literal_texts,
    moment,
    parsed_texts,
    shown_lines,
)


def parent(alert: Alert, *notices: str) -> Message:
    return alert_message(alert, revision=12, now=NOW, provider_title="Datadog", notices=notices)


@pytest.mark.parametrize("alert", STATES.values(), ids=STATES)
def test_every_state_is_a_message_slack_takes(alert: Alert) -> None:
    message = parent(alert, "possible duplicate: an answer of Slack was lost")

    assert_message(message.text, message.blocks)
    assert len(message.blocks) <= 3


@pytest.mark.parametrize(
    "alert", [alert for name, alert in STATES.items() if name != "resolved, still firing"]
)
def test_a_phone_shows_it_in_four_lines(alert: Alert) -> None:
    assert len(shown_lines(parent(replace(alert, on_call=("U0SAM",))).blocks)) <= 4


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        (ToolState(state=WriteState.PENDING, action=ToolAct.RESOLVE), "telling PagerDuty"),
        (
            ToolState(
                state=WriteState.PENDING,
                action=ToolAct.RESOLVE,
                detail="it answered 503",
                waits_since=NOW,
            ),
            "PagerDuty does not answer (it answered 503); the resolution is saved here and told again",
        ),
        (ToolState(state=WriteState.DONE, action=ToolAct.NOTE), ":white_check_mark: PagerDuty knows"),
        (
            ToolState(state=WriteState.FAILED, action=ToolAct.ACKNOWLEDGE, detail="503"),
            ":x: PagerDuty has not been told of the acknowledgement (503); it is told once it answers again",
        ),
        (
            ToolState(state=WriteState.REFUSED, action=ToolAct.NOTE, detail="<!channel> & co"),
            ":x: PagerDuty refused the note (&lt;!channel&gt; &amp; co); do it there by hand",
        ),
    ],
    ids=["pending", "no answer yet", "done", "failed", "refused"],
)
def test_the_small_print_says_whether_the_tool_knows(tool: ToolState, says: str) -> None:
    message = alert_message(ACKNOWLEDGED, revision=1, now=NOW, provider_title="PagerDuty", tool=tool)
    assert_message(message.text, message.blocks)
    assert says in " ".join(part["text"] for part in message.blocks[1]["elements"])


@pytest.mark.parametrize(
    ("alert", "headline"),
    [
        (TRIGGERED, ":red_circle: *SEV1 · Firing · prod-db-1* — CPU &gt; 85 % for 5 min (now 93 %)"),
        (NO_DATA, ":grey_question: *SEV1 · No data · prod-db-1* — CPU &gt; 85 % for 5 min"),
        (
            ACKNOWLEDGED,
            (
                ":large_yellow_circle: *SEV1 · Acknowledged by <@U0SAM> · prod-db-1*"
                " — CPU &gt; 85 % for 5 min (now 93 %)"
            ),
        ),
        (
            SNOOZED,
            (
                ":zzz: *SEV1 · Snoozed until <!date^1795530900^{time}|2026-11-24 14:35 UTC> · prod-db-1*"
                " — CPU &gt; 85 % for 5 min (now 93 %)"
            ),
        ),
        (
            RECOVERED,
            (
                ":large_blue_circle: *SEV1 · Recovered <!date^1795529040^{time}|2026-11-24 14:04 UTC>"
                " — note needed · prod-db-1* — CPU &gt; 85 % for 5 min"
            ),
        ),
        (
            RESOLVED,
            (
                ":white_check_mark: *SEV1 · Resolved in 29 min by <@U0SAM> · prod-db-1*"
                " — Capacity: Added a read replica"
            ),
        ),
    ],
)
def test_line_one_says_how_bad_what_state_and_where(alert: Alert, headline: str) -> None:
    assert parent(alert).blocks[0]["text"]["text"] == headline


@pytest.mark.parametrize(
    ("alert", "controls"),
    [
        (
            TRIGGERED,
            "!Acknowledge|Resolve…|⋯|Snooze 30 min|Snooze…|Reassign…|Escalate now…|Timeline & evidence",
        ),
        (
            NO_DATA,
            "!Acknowledge|Resolve…|⋯|Snooze 30 min|Snooze…|Reassign…|Escalate now…|Timeline & evidence",
        ),
        (
            ACKNOWLEDGED,
            "!Resolve…|Snooze 30 min|⋯|Add note…|Reassign…|Escalate now…|Release|Timeline & evidence",
        ),
        (SNOOZED, "Wake now|Resolve…|⋯|Snooze…|Add note…|Reassign…|Release|Timeline & evidence"),
        (RECOVERED, "!Add resolution note…|Acknowledge|⋯|Reassign…|Add note…|Timeline & evidence"),
        (OWNED_RECOVERED, "!Add resolution note…|⋯|Reassign…|Add note…|Release|Timeline & evidence"),
        (RESOLVED, "⋯|Reopen…|Edit note…|Add note…|Timeline & evidence"),
    ],
)
def test_the_controls_fit_the_state(alert: Alert, controls: str) -> None:
    assert "|".join(labels(parent(alert).blocks)) == controls


def test_each_control_names_its_alert() -> None:
    """Buttons carry number and version; a screen reader hears which alert they are about."""
    message = parent(replace(ACKNOWLEDGED, component="x" * 300))
    *buttons, menu = message.blocks[-1]["elements"]

    assert [button["value"] for button in buttons] == ["412:2", "412:2"]
    assert all("A-412" in b["accessibility_label"] and len(b["accessibility_label"]) <= 75 for b in buttons)
    assert [option["value"] for option in menu["options"]] == [
        "note:412:2",
        "re:412:2",
        "esc:412:2",
        "rel:412:2",
        "tl:412:2",
    ]
    assert message.blocks[-1]["block_id"] == "al:412:v2:r12"


def test_the_first_post_calls_who_is_on_call() -> None:
    message = parent(TRIGGERED)

    assert "On call <@U0SAM> <!subteam^S0PLATFORM>" in message.blocks[1]["elements"][0]["text"]
    assert message.text == (
        "SEV1 firing: prod-db-1 — CPU &gt; 85 % for 5 min (now 93 %). On call <@U0SAM> <!subteam^S0PLATFORM>. A-412"
    )


def test_an_acknowledged_alert_shows_its_owner() -> None:
    message = parent(ACKNOWLEDGED)

    assert (
        message.blocks[1]["elements"][0]["text"].split("\n")[1].startswith("Owner <@U0SAM> · opened <!date^")
    )
    assert message.text.endswith("Owner <@U0SAM>. A-412")


def test_a_resolution_stands_in_the_parent() -> None:
    """Who reads only the parent learns who resolved it, after how long, why, and what was done."""
    security = replace(RESOLVED, resolution=replace(NOTE, security=True, cause=Cause.SECURITY))
    first, small = (block for block in parsed_texts(parent(security).blocks))

    assert "Resolved in 29 min by <@U0SAM>" in first
    assert "possible security event, Security: Added a read replica" in first
    assert "CPU &gt; 85 % for 5 min" in small
    assert "acknowledged after 3 min" in small


@pytest.mark.parametrize(
    ("alert", "word"),
    [
        (replace(RESOLVED, source=Source.FIRING), "|Datadog> says still firing"),
        (replace(RESOLVED, source=Source.UNKNOWN), "|Datadog> says no data"),
        (replace(ACKNOWLEDGED, source=Source.UNKNOWN), "|Datadog> says no data"),
        (replace(TRIGGERED, flaps=2), "recovered and fired again 2×"),
        (replace(TRIGGERED, previous_id=400), "earlier: A-400"),
        (replace(TRIGGERED, on_call=()), "On call: nobody is configured"),
    ],
)
def test_what_is_unusual_is_said(alert: Alert, word: str) -> None:
    assert word in parent(alert).blocks[1]["elements"][0]["text"]


def test_trouble_with_the_message_is_shown() -> None:
    assert (
        ":warning: possible duplicate"
        in parent(TRIGGERED, "possible duplicate").blocks[1]["elements"][0]["text"]
    )


def test_a_snooze_that_is_over_is_not_shown_as_one() -> None:
    over = replace(SNOOZED, snoozed_until=NOW - timedelta(seconds=1))

    assert "Acknowledged by" in parent(over).blocks[0]["text"]["text"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(STATES.values())), st.tuples(*[hostile] * 5))
def test_hostile_words_do_nothing_in_the_parent(alert: Alert, words: tuple[str, str, str, str, str]) -> None:
    title, component, value, url, said = words
    note = Resolution(found="found " + "x y z" * 9, done=("done it " + said)[:2000], cause=Cause.UNKNOWN)
    hurt = replace(
        alert,
        title=title,
        component=component,
        condition=said,
        value=value,
        url=url,
        runbook=f"https://wiki.example.com/{url}",
        resolution=note if alert.resolution else None,
    )

    message = parent(hurt, said)

    assert_message(message.text, message.blocks)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("triggered", ":red_circle: triggered by Datadog"),
        ("repeated", "reported again by Datadog"),
        ("worsened", ":arrow_up: Datadog says it is SEV1 now"),
        ("recovered", ":large_blue_circle: recovered, says Datadog"),
        ("refired", ":red_circle: firing again, says Datadog"),
        ("no_data", ":grey_question: Datadog has no data: nobody knows whether it lasts"),
        ("updated", "Datadog says"),
        ("acknowledged", ":large_yellow_circle: acknowledged by <@U0SAM> after 3 min"),
        ("snoozed", ":zzz: snoozed by <@U0SAM>"),
        ("woke", ":alarm_clock: woken by <@U0SAM>"),
        ("reminded", ":alarm_clock: reminder: nobody has acknowledged it after 3 min"),
        ("escalated", ":rotating_light: escalated to somebody else: <@U0SAM> asks for help"),
        ("reassigned", ":handshake: handed to somebody by <@U0SAM>"),
        ("taken_over", ":handshake: taken over by <@U0SAM>"),
        ("released", "released by <@U0SAM>: nobody owns it now"),
        ("noted", ":memo: note by <@U0SAM>"),
        ("resolved", ":white_check_mark: resolved by <@U0SAM> after 3 min"),
        ("amended", ":memo: resolution note edited by <@U0SAM>; the earlier revisions stay in the log"),
        ("reopened", ":repeat: reopened by <@U0SAM>"),
        ("reopened_as", ":repeat: reopened by <@U0SAM>, continues as a new alert"),
        ("something_newer", "something newer by <@U0SAM>"),
    ],
)
def test_each_moment_has_its_words(kind: str, words: str) -> None:
    message = thread_reply(TRIGGERED, [moment(kind)], provider_title="Datadog")

    assert message.text == f"A-412: {words}"
    assert message.blocks[0]["elements"][0]["text"].endswith(f"2026-11-24 14:05 UTC> {words}")
    assert_message(message.text, message.blocks)


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("snoozed", {"until": "2026-11-24T14:35:00Z"}, "until <!date^1795530900^{date_short_pretty} {time}|"),
        ("snoozed", {"until": 7}, ":zzz: snoozed by <@U0SAM>"),
        ("reopened_as", {"alert": 413}, "continues in A-413"),
        ("worsened", {"severity": "SEV1"}, "says it is SEV1 now"),
        ("resolved", {"cause": "deploy"}, "after 3 min · Deploy or change"),
        ("resolved", {"cause": "no_action"}, "after 3 min · Recovered by itself"),
        ("reassigned", {"to": "U0KIM", "from": "U0SAM"}, "handed to <@U0KIM> from <@U0SAM> by <@U0SAM>"),
        ("taken_over", {"from": "U0KIM", "called": "U0KIM"}, "taken over from <@U0KIM> by <@U0SAM>"),
        ("escalated", {"target": "lead"}, "escalated to the lead: <@U0SAM> asks for help"),
        ("reminded", {"phase": "note_missing"}, "its resolution note is missing"),
    ],
)
def test_an_entrys_facts_are_told(kind: str, facts: dict[str, object], words: str) -> None:
    """What was true then is told, not what is true now."""
    later = replace(TRIGGERED, severity=Severity.SEV2)

    message = thread_reply(later, [replace(moment(kind), facts=facts)], provider_title="Datadog")

    assert words in message.text
    assert_message(message.text, message.blocks)


def test_the_end_of_a_snooze_is_told_as_the_clocks() -> None:
    message = thread_reply(TRIGGERED, [moment("woke", by="socmon")], provider_title="Datadog")

    assert message.text == "A-412: :alarm_clock: the snooze is over"


def test_neighbouring_facts_are_one_small_print() -> None:
    moments = [moment("triggered", 1), moment("acknowledged", 2), moment("noted", 3, text="killed pid 3112")]

    message = thread_reply(ACKNOWLEDGED, moments, provider_title="Datadog")

    assert [block["type"] for block in message.blocks] == ["context", "section"]
    assert message.blocks[0]["elements"][0]["text"].count("\n") == 2
    assert message.blocks[1]["text"] == {"type": "plain_text", "text": "killed pid 3112", "emoji": False}


def test_a_note_is_shown_whole_and_as_it_was_written() -> None:
    text = "1. *killed* pid\n2. see https://x.example\n" + "word " * 380

    message = thread_reply(ACKNOWLEDGED, [moment("noted", text=text)], provider_title="Datadog")

    assert message.blocks[1]["text"]["text"] == text.strip()


def test_a_resolution_is_told_with_its_note() -> None:
    alert = replace(
        RESOLVED, resolution=replace(NOTE, follow_up="https://jira.example.com/T-1", security=True)
    )

    message = thread_reply(alert, [moment("resolved"), moment("amended", 2)], provider_title="Datadog")

    quoted = [text for text in literal_texts(message.blocks) if text.startswith(("Found", "Done"))]
    assert quoted == ["Found: Long ANALYZE after deploy 1.42", "Done: Added a read replica"]
    assert "Possible security event · <https://jira.example.com/T-1|Follow-up>" in "".join(
        parsed_texts(message.blocks)
    )
    assert_message(message.text, message.blocks)


@pytest.mark.parametrize(
    ("alert", "called"),
    [
        (RECOVERED, "<@U0SAM> <!subteam^S0PLATFORM> A-412 has recovered"),
        (OWNED_RECOVERED, "<@U0SAM> A-412 has recovered"),
    ],
)
def test_a_recovery_without_a_note_asks_for_one(alert: Alert, called: str) -> None:
    message = thread_reply(alert, [moment("recovered")], provider_title="Datadog")

    assert message.blocks[1]["text"]["text"].startswith(called)
    assert called in message.text
    assert labels(message.blocks) == ["!Add resolution note…"]
    assert message.blocks[-1]["elements"][0]["value"] == f"412:{alert.version}"


def test_a_recovery_can_ask_without_calling_anybody() -> None:
    message = thread_reply(RECOVERED, [moment("recovered")], provider_title="Datadog", mention=False)

    assert "<@" not in message.text + "".join(parsed_texts(message.blocks))
    assert labels(message.blocks) == ["!Add resolution note…"]


def test_nothing_is_asked_once_it_is_resolved() -> None:
    assert labels(thread_reply(RESOLVED, [moment("recovered")], provider_title="Datadog").blocks) == []


UNACKNOWLEDGED: dict[str, object] = {
    "phase": "unacknowledged",
    "step": 1,
    "target": "owner",
    "called": "U0SAM S0PLATFORM",
}
NOTE_MISSING = UNACKNOWLEDGED | {"phase": "note_missing"}
HANDED: dict[str, object] = {"to": "U0KIM", "from": "U0SAM", "called": "U0KIM"}
KIMS = replace(TRIGGERED, owner="U0KIM", version=2)


def calling(kind: str, facts: Mapping[str, object], by: str = "socmon") -> Moment:
    return replace(moment(kind, by=by), facts=facts)


@pytest.mark.parametrize(
    ("alert", "told", "called", "buttons"),
    [
        (TRIGGERED, calling("reminded", UNACKNOWLEDGED), "<@U0SAM> <!subteam^S0PLATFORM> :alarm_clock:", 2),
        (TRIGGERED, calling("escalated", UNACKNOWLEDGED), "<!subteam^S0PLATFORM> :rotating_light:", 2),
        (RECOVERED, calling("reminded", NOTE_MISSING), "its resolution note is missing", 1),
        (TRIGGERED, calling("escalated", {"called": "U0KIM"}, "U0SAM"), "<@U0KIM> :rotating_light:", 2),
        (
            KIMS,
            calling("reassigned", HANDED, "U0SAM"),
            "<@U0KIM> :handshake: handed to Kim from Sam by Sam",
            2,
        ),
        (
            replace(ACKNOWLEDGED, owner="U0KIM"),
            calling("taken_over", {"from": "U0SAM", "called": "U0SAM"}, "U0KIM"),
            "<@U0SAM> :handshake: taken over from Sam by Kim",
            0,
        ),
        (ACKNOWLEDGED, calling("woke", {"called": "U0SAM"}), "<@U0SAM> :alarm_clock: the snooze is over", 2),
    ],
)
def test_whom_a_moment_calls_is_mentioned_with_something_to_press(
    alert: Alert, told: Moment, called: str, buttons: int
) -> None:
    names = {"U0SAM": "Sam", "U0KIM": "Kim"}
    message = thread_reply(alert, [told], provider_title="Datadog", names=names)

    assert called in message.text
    assert called in message.blocks[0]["text"]["text"]
    assert len(labels(message.blocks)) == buttons
    assert_message(message.text, message.blocks)


@pytest.mark.parametrize(
    ("alert", "told"),
    [
        (ACKNOWLEDGED, calling("reminded", UNACKNOWLEDGED)),
        (RECOVERED, calling("escalated", UNACKNOWLEDGED)),
        (RESOLVED, calling("reminded", NOTE_MISSING)),
        (TRIGGERED, calling("reminded", NOTE_MISSING)),
        (RESOLVED, calling("escalated", {"called": "U0KIM"}, "U0SAM")),
        (ACKNOWLEDGED, calling("reassigned", HANDED, "U0SAM")),
        (SNOOZED, calling("woke", {"called": "U0SAM"})),
    ],
)
def test_what_is_settled_by_now_calls_nobody(alert: Alert, told: Moment) -> None:
    """It is told all the same, in small print."""
    names = {"U0SAM": "Sam", "U0KIM": "Kim"}
    message = thread_reply(alert, [told], provider_title="Datadog", names=names)

    assert "<@" not in message.text
    assert "<!subteam" not in message.text
    assert [block["type"] for block in message.blocks] == ["context"]


def test_a_reminder_says_who_is_called_next() -> None:
    facts = UNACKNOWLEDGED | {"next": "lead", "next_at": "2026-11-24T14:17:00+00:00"}
    message = thread_reply(TRIGGERED, [calling("reminded", facts)], provider_title="Datadog")

    assert message.text.endswith(
        "(A-412). The lead is called <!date^1795529820^{date_short_pretty} {time}|2026-11-24 14:17 UTC>"
    )


def test_the_timeline_names_who_was_called() -> None:
    view = timeline_view(ACKNOWLEDGED, [calling("reminded", UNACKNOWLEDGED)], provider_title="Datadog")

    assert "after 3 min, calling <@U0SAM> <!subteam^S0PLATFORM>" in "".join(parsed_texts(view["blocks"]))


@pytest.mark.parametrize("snoozed", [False, True])
def test_what_was_mild_and_short_can_be_closed_without_action(snoozed: bool) -> None:  # noqa: FBT001
    """In the menu of the parent and as a button of the request; what does not fit in the menu gives way."""
    alert = replace(OWNED_RECOVERED, severity=Severity.SEV3, recovered_at=OPENED + timedelta(minutes=4))
    alert = replace(alert, snoozed_until=NOW + timedelta(hours=1)) if snoozed else alert
    rule = NoAction()
    shown = alert_message(alert, revision=1, now=NOW, provider_title="Datadog", no_action=rule)
    asked = thread_reply(alert, [moment("recovered")], provider_title="Datadog", no_action=rule)

    assert_message(shown.text, shown.blocks)
    assert labels(shown.blocks)[2] == "Recovered by itself, no action"
    assert len(labels(shown.blocks)) == 7
    assert labels(asked.blocks) == ["!Add resolution note…", "Recovered by itself, no action"]
    for other in (replace(alert, severity=Severity.SEV1), replace(alert, recovered_at=NOW)):
        refused = alert_message(
            replace(other, triggered_at=OPENED - timedelta(hours=1)),
            revision=1,
            now=NOW,
            provider_title="Datadog",
            no_action=rule,
        )
        assert "Recovered by itself, no action" not in labels(refused.blocks)


def test_that_socmon_posted_it_is_no_news() -> None:
    message = thread_reply(
        ACKNOWLEDGED, [moment("announced", 1), moment("acknowledged", 2)], provider_title="Datadog"
    )

    assert "posted in Slack" not in message.text


def test_a_long_silence_is_told_in_one_message() -> None:
    """After hours without Slack, one reply tells what fits and says how much more there is."""
    moments = [moment("noted", number, text=f"note {number} " + "long " * 300) for number in range(100)]

    message = thread_reply(ACKNOWLEDGED, moments, provider_title="Datadog")

    assert_message(message.text, message.blocks)
    assert "94 more: choose *Timeline &amp; evidence*" in message.blocks[-1]["elements"][0]["text"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(STATES.values())),
    st.lists(st.tuples(st.sampled_from(KINDS), hostile), min_size=1, max_size=12),
    hostile,
)
def test_hostile_words_do_nothing_in_the_thread(alert: Alert, told: list[tuple[str, str]], by: str) -> None:
    moments = [moment(kind, number, text=text, by=by) for number, (kind, text) in enumerate(told)]

    message = thread_reply(alert, moments, provider_title="Datadog")

    assert_message(message.text, message.blocks)
