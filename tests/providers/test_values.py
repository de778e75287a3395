"""The careful reading of values that every provider shares: nothing from outside crashes it or slips through."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Severity
from bot.domain.errors import Refused, Unreadable, WrongSettings
from bot.providers.contract import (
    EARLIEST,
    LONGEST_KEY,
    Secrets,
    Way,
    answered,
    check_shared_secret,
    instant,
    key_of,
    line,
    nearest,
    parse_object,
    read_table,
    secret_findings,
    severity_of,
    text,
    web_address,
    webhook_secrets,
)
from bot.providers.problems import imagine
from tests.providers.deliveries import NOW

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("  two\r\nlines ", "two\nlines"),
        ("a\x00b\x1b[31mc\x7fd\x85e", "ab[31mcde"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("tab\there", "tab\there"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (None, ""),
        ([], ""),
        ({"a": 1}, ""),
    ],
)
def test_text_is_a_scalar_without_control_characters(value: Any, read: str) -> None:
    assert text(value) == read


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"a": ["cut \\ud83d"]}', {"a": ["cut \ufffd"]}),
        (b'{"\\uDC00": 1}', {"\ufffd": 1}),
        (b'["\xed\xa0\xbd"]', ["\ufffd"]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'["\xc3\xa9", 1.5, null]', ["é", 1.5, None]),
    ],
)
def test_an_answer_holds_no_half_characters(body: bytes, read: Any) -> None:
    """They can be neither stored nor sent: one in a tag kept a whole inventory from being taken."""
    assert answered(body) == read


def test_text_is_cut_where_it_gets_too_long_and_says_so() -> None:
    assert text("x" * 10, 5) == "xxxx…"
    assert text("\x00" * 10 + "x" * 4, 5) == "xxxx"
    assert text(10**30, 5) == "10000"


@pytest.mark.parametrize(
    ("value", "read"), [("\n\n one \ntwo", "one"), ("", ""), (None, ""), ("one\u2028two", "one")]
)
def test_a_line_is_the_first_one(value: Any, read: str) -> None:
    assert line(value) == read


@pytest.mark.parametrize(
    "address", ["https://a.example/b?c=d#e", "http://localhost:9090/graph", "HTTPS://A.EXAMPLE"]
)
def test_web_addresses_are_kept(address: str) -> None:
    assert web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "ftp://a",
        "//a.example",
        "https://",
        "https:///a",
        "https://a b",
        "https://a\nb",
        "https://a\x00b",
        "https://a\u2028b",
        "https://a\ud800",
        " https://a.example",
        "https://a.example\n",
        "https://" + "a" * 3000,
        7,
        None,
        ["https://a.example"],
    ],
)
def test_what_is_no_safe_web_address_is_left_out(address: Any) -> None:
    assert web_address(address) == ""


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-11-24T15:40:20.741469864Z", datetime(2026, 11, 24, 15, 40, 20, 741469, UTC)),
        ("2016-08-01T13:27:08.008+03:00", datetime(2016, 8, 1, 10, 27, 8, 8000, UTC)),
        ("2015-06-03T17:43:27.123+0000", datetime(2015, 6, 3, 17, 43, 27, 123000, UTC)),
        (1448435530, datetime(2015, 11, 25, 7, 12, 10, tzinfo=UTC)),
        ("1448435530000", datetime(2015, 11, 25, 7, 12, 10, tzinfo=UTC)),
        (1448435530000.0, datetime(2015, 11, 25, 7, 12, 10, tzinfo=UTC)),
        ("2026-11-24T15:40:20", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("1999-12-31T23:59:59Z", None),
        (171371298734598734598, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**400, None),
        (-1, None),
        (True, None),
        ("٣٣٣٣٣٣٣٣٣٣", None),
        ("yesterday", None),
        (None, None),
        ([], None),
    ],
)
def test_an_instant_is_read_or_counts_as_not_given(value: Any, read: datetime | None) -> None:
    assert instant(value, received_at=NOW) == read


def test_a_time_from_the_future_counts_as_not_given() -> None:
    """Else every later word of the tool, which would be earlier, would be taken for old news."""
    soon, later = NOW + timedelta(minutes=14), NOW + timedelta(minutes=16)

    assert instant(soon.isoformat(), received_at=NOW) == soon
    assert instant(later.isoformat(), received_at=NOW) is None


@given(value=anything)
def test_no_value_crashes_the_readers(value: Any) -> None:
    text(value).encode()
    assert "\n" not in line(value)
    web_address(value).encode()
    found = instant(value, received_at=NOW)
    assert found is None or EARLIEST <= found <= NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.SEV1),
        (" SEV1 ", Severity.SEV1),
        ("High", Severity.SEV2),
        ("warning", Severity.SEV3),
        ("p5", Severity.SEV4),
        ("apocalyptic", None),
        ("", None),
    ],
)
def test_an_unknown_severity_is_none_and_nobody_guesses(word: str, severity: Severity | None) -> None:
    assert severity_of(word) is severity


@given(left=st.lists(st.text(), min_size=1), right=st.lists(st.text(), min_size=1))
def test_two_names_never_share_a_key_because_they_are_long(left: list[str], right: list[str]) -> None:
    long = "x" * 500
    assert len(key_of(long, *left)) <= LONGEST_KEY
    assert (key_of(long, *left) == key_of(long, *right)) is ("|".join(left) == "|".join(right))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b"\xff{}",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' * 41 + b"1" + b"}" * 41,
        b"[" * 100_000,
    ],
)
def test_what_is_no_plain_json_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_object(body)


def test_brackets_in_strings_are_no_nesting() -> None:
    body = json.dumps({"a": "[" * 100 + '\\"{{{'}).encode()

    assert parse_object(body)["a"].startswith("[[[")


def test_a_misspelt_key_names_the_nearest_known_one() -> None:
    with pytest.raises(
        WrongSettings, match=r'providers\.x\.feilds is not a known key\. Did you mean "fields"\?'
    ):
        read_table("x", {"feilds": {}}, known=("fields", "status"))
    assert nearest("zzz", ("fields", "status")) == " Known here: fields, status."


def test_secrets_are_never_shown() -> None:
    secrets = Secrets("top-secret, other")

    assert "top" not in f"{secrets} {secrets!r}"


@pytest.mark.parametrize(
    ("candidate", "matches"), [("a", True), ("b", True), ("a,b", False), ("", False), ("\udc80", False)]
)
def test_one_of_two_secrets_has_to_match_whole(candidate: str, matches: bool) -> None:  # noqa: FBT001
    assert Secrets("a, b,").match(candidate) is matches


def test_a_secret_that_is_no_ascii_still_matches_as_a_password() -> None:
    headers = {"authorization": "Basic dTpnZWjDpGltZQ=="}  # u:gehäime

    assert check_shared_secret("x", Secrets("gehäime"), headers, {Way.BASIC}) == "basic auth"


def test_without_a_secret_every_delivery_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        check_shared_secret("x", Secrets(""), {"x-socmon-token": ""}, {Way.TOKEN})

    assert (refused.value.reason, refused.value.status) == ("no secret configured", 403)
    assert "SOCMON_WEBHOOK_SECRET_X" in str(refused.value)


def test_the_refusal_says_how_to_send_the_secret() -> None:
    with pytest.raises(Refused, match="the header X-Socmon-Token or “Authorization: Bearer …”"):
        check_shared_secret("x", Secrets("s"), {}, {Way.BEARER, Way.TOKEN})


@pytest.mark.parametrize(
    ("secret", "says"), [("", "is not set"), ("short", "has only 5 bytes"), ("x" * 32, "")]
)
def test_the_doctor_names_a_missing_or_a_weak_secret(secret: str, says: str) -> None:
    found = secret_findings("x", webhook_secrets("x", {"SOCMON_WEBHOOK_SECRET_X": secret}))

    assert len(found) == bool(says)
    assert says in "".join(found)


def test_no_two_imaginary_problems_are_the_same() -> None:
    problems = [imagine(number) for number in range(1000)]

    assert len({(problem.component, problem.kind) for problem in problems}) == 1000
    assert imagine(0).component == "prod-db-1"
    assert imagine(0).title == "High CPU on prod-db-1"
