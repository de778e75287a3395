"""Words from outside can be read in Slack, and do nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.text import (
    DateForm,
    clean,
    date,
    link,
    mention,
    own_words,
    plain_text,
    plain_words,
    slack_text,
)
from tests.adapters.slack.examples import HOSTILE_WORDS, assert_inert, assert_sendable, hostile


@given(text=hostile, most=st.integers(1, 300), lines=st.booleans())
def test_outside_text_is_inert_and_fits(text: str, most: int, *, lines: bool) -> None:
    """Whatever an alert says: it mentions nobody, links nowhere, formats nothing, and is not too long."""
    shown = slack_text(text, most, lines=lines)

    assert len(shown) <= most
    assert_inert(shown)
    assert_sendable(shown)


@pytest.mark.parametrize("word", HOSTILE_WORDS)
def test_each_hostile_word_is_inert(word: str) -> None:
    assert_inert(slack_text(word, 500))
    assert_inert(slack_text(f"a {word} b", 500, lines=True))


@given(hostile, st.integers(1, 300))
def test_no_mention_stands_in_plain_text(text: str, most: int) -> None:
    shown = plain_text(text, most)

    assert len(shown) <= most
    assert not any(mark in shown for mark in ("<!", "<@", "<#"))


@given(st.text(alphabet="abc &<>", max_size=60), st.integers(2, 40))
def test_an_entity_is_never_torn(text: str, most: int) -> None:
    shown = slack_text(text, most)

    kept = unescape(shown).removesuffix("…").rstrip()
    assert clean(text).replace(">", "").startswith(kept.replace(">", "").replace("›", ""))
    assert "&" not in shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("prod_db_1", "prod_db_1"),
        ("10.0.0.1:9100", "10.0.0.1:9100"),
        ("since 14:02:33 UTC", "since 14:02:33 UTC"),
        ("CPU > 85 % & rising", "CPU &gt; 85 % &amp; rising"),
        ("cpu   over\n\tlimit", "cpu over limit"),
        ("a\u200bb\u202ec", "abc"),
        ("*x*", "∗x∗"),
        (":fire:", "∶fire:"),
        ("_x_", "ˍxˍ"),
        ("> x", "› x"),
        ("日本語のアラート", "日本語のアラート"),
    ],
)
def test_ordinary_words_stay_readable(text: str, shown: str) -> None:
    assert slack_text(text, 100) == shown


def test_line_breaks_are_kept_where_asked() -> None:
    assert slack_text("a  b\r\nc\n\n\n\n> d", 100, lines=True) == "a b\n\nc\n\n› d"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "ftp://example.com",
        "https://",
        "https://a|b",
        "https://a>b",
        "https://a<b",
        "https://a b",
        "https://[evil",
        "https://a]b/",
        "https://[x]/",
        "https://a\nb",
        "https://app.datadoghq.com@evil.example/",
        "https://app.datadoghq.com\\@evil.example/",
        "https://ex\u0430mple.com/",
        "https://example.com/" + "a" * 2000,
        "//example.com",
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    assert link(url, "Datadog") == "Datadog"


def test_a_link_escapes_its_address_and_its_label() -> None:
    assert link("https://a.example/?x=1&y={2}", "a > *b*") == "<https://a.example/?x=1&amp;y={2}|a &gt; ∗b∗>"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("U0SAM", "<@U0SAM>"),
        ("W12AB", "<@W12AB>"),
        ("S0TEAM", "<!subteam^S0TEAM>"),
        ("datadog", "datadog"),
        ("U1> <!channel>", "U1&gt; &lt;!channel&gt;"),
        ("channel", "channel"),
        ("sam@example.com", "sam@example.com"),
        ("", ""),
        ("U0SAM\n", "U0SAM"),
    ],
)
def test_only_well_formed_ids_are_mentioned(name: str, shown: str) -> None:
    assert mention(name) == shown


def test_a_time_is_local_for_the_reader_and_utc_elsewhere() -> None:
    at = datetime(2026, 11, 24, 16, 2, tzinfo=timezone(timedelta(hours=2)))

    assert date(at) == f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|2026-11-24 14:02 UTC>"
    assert date(at.astimezone(UTC), DateForm.TIME).count("{time}") == 1


def test_our_own_messages_keep_their_mentions_and_nothing_else() -> None:
    message = "<@U1> has resolved A-1 in <#C1>. You typed <!channel> & <http://evil.example|x>."

    shown = "<@U1> has resolved A-1 in <#C1>. You typed &lt;!channel&gt; &amp; &lt;http://evil.example|x&gt;."
    assert own_words(message) == shown
    assert len(own_words("<" * 10_000)) < 3000


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("killed pid 3112", "killed pid 3112"),
        ("<@U1> &amp; <@U2|sam>: a &lt; b", "@U1 & @sam: a < b"),
        ("see <#C1|ops> <!here> <!subteam^S1|@dba>", "see #ops @here @dba"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<https://x.example|the graph>", "the graph (https://x.example)"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("<!date^1^{time}|14:02>", "14:02"),
    ],
)
def test_a_message_is_filed_in_plain_words(message: str, words: str) -> None:
    assert plain_words(message) == words
