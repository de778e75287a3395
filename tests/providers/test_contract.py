"""What every provider promises. A new folder is tested here without a line being changed."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alert import Change, Reported
from bot.domain.errors import Refused, TryAgain, Unreadable, WrongSettings
from bot.providers import all_providers
from bot.providers.contract import Provider, Reading, Request, Sample, SampleKind, Samples, Webhook
from handlers.webhooks import body_digest
from tests.mutations import WEIRD, mutated, places
from tests.providers.deliveries import NOW, of, request, set_up, webhook_of

PROVIDERS = [pytest.param(provider, id=name) for name, provider in sorted(all_providers().items())]
every_provider = pytest.mark.parametrize("provider", PROVIDERS)

LATER = NOW + timedelta(minutes=10)
READABLE = [kind for kind in SampleKind if kind is not SampleKind.GARBAGE]
MUTATIONS = 500

CHANGES = {
    SampleKind.TRIGGERED: {Change.TRIGGERED},
    SampleKind.REPEATED: {Change.TRIGGERED},
    SampleKind.RECOVERED: {Change.RECOVERED},
    SampleKind.NO_DATA: {
        Change.NO_DATA,
        Change.TRIGGERED,
    },  # a tool without the state tells it as an ordinary alert
}


def one(reading: Reading) -> Reported:
    assert len(reading.alerts) == 1
    return reading.alerts[0]


@every_provider
def test_a_provider_is_known_by_its_folders_name(provider: Provider) -> None:
    """The folder's name is the URL segment and the stored name, so both must be the same."""
    assert all_providers()[provider.name] is provider
    assert re.fullmatch(r"[a-z][a-z0-9]*", provider.name)
    assert provider.title


@every_provider
def test_an_unknown_settings_key_is_refused_and_the_nearest_known_one_named(provider: Provider) -> None:
    samples = provider.samples()

    with pytest.raises(WrongSettings) as refused:
        provider.settings({**samples.table, "enabeld": True}, samples.environ)

    assert f"providers.{provider.name}" in str(refused.value)
    assert "enabeld" in str(refused.value)
    assert '"enabled"' in str(refused.value)


@every_provider
def test_the_doctor_has_nothing_to_say_about_good_settings(provider: Provider) -> None:
    samples = provider.samples()

    assert provider.findings(provider.settings(samples.table, samples.environ)) == []


@every_provider
def test_settings_never_show_a_secret(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    shown = repr(provider.settings(samples.table, samples.environ)) + repr(webhook)

    for secret in samples.environ.values():
        assert secret not in shown


@every_provider
async def test_nothing_is_accepted_before_a_secret_is_configured(provider: Provider) -> None:
    """A source without its secret (or its topics) is closed, not open."""
    try:
        webhook = provider.webhook(provider.settings({}, {}), None)  # type: ignore[arg-type]
    except WrongSettings:
        return

    with pytest.raises(Refused):
        await webhook.authenticate(
            of(provider.samples().sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW))
        )


@every_provider
@pytest.mark.parametrize("kind", SampleKind)
async def test_samples_are_genuine(provider: Provider, kind: SampleKind) -> None:
    samples, webhook = set_up(provider)

    assert await webhook.authenticate(of(samples.sample(kind, problem=3, episode=0, at=NOW)))


@every_provider
async def test_both_secrets_count_during_a_rotation(provider: Provider) -> None:
    """ "new,old": deliveries signed with the old one are accepted until the sender has the new one."""
    samples = provider.samples()
    if not samples.environ:
        pytest.skip(f"{provider.name} has no shared secret")
    sample = samples.sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW)

    rotating = {
        name: f"new-secret-0123456789-0123456789-01, {value}" for name, value in samples.environ.items()
    }
    rotated = dict.fromkeys(samples.environ, "new-secret-0123456789-0123456789-01")

    assert await webhook_of(provider, samples, rotating).authenticate(of(sample))
    with pytest.raises(Refused):
        await webhook_of(provider, samples, rotated).authenticate(of(sample))


@every_provider
async def test_forged_deliveries_are_refused(provider: Provider) -> None:
    """Whatever proves the sender, in the headers or in the body: changed, it proves nothing. And nothing crashes."""
    samples, webhook = set_up(provider)
    sample = samples.sample(SampleKind.TRIGGERED, problem=1, episode=0, at=NOW)
    proofs = [name for name in sample.headers if not await accepts(webhook, without(sample, name))]

    for name in proofs:
        for value in forged(sample.headers[name]) - {sample.headers[name]}:
            headers = {**sample.headers, name: value}
            assert not await accepts(webhook, Sample(headers=headers, body=sample.body)), (name, value)
    if not proofs:
        for body in mutated(sample.body, MUTATIONS):
            changed = Sample(headers=sample.headers, body=body)
            if await accepts(webhook, changed):  # what is not signed may change, for it says nothing
                assert webhook.read(of(changed)).alerts == webhook.read(of(sample)).alerts, body


@every_provider
async def test_random_headers_never_open_the_door(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    sample = samples.sample(SampleKind.TRIGGERED, problem=1, episode=0, at=NOW)
    proofs = [name for name in sample.headers if not await accepts(webhook, without(sample, name))]
    if not proofs:
        pytest.skip(f"{provider.name} is proven by its body")
    harmless = {name: value for name, value in sample.headers.items() if name not in proofs}
    random = Random(20261124)

    for _ in range(1000):
        name = random.choice([*proofs, "authorization", "x-socmon-token"])
        value = random.choice(["", "Basic ", "Bearer ", "v1="]) + "".join(
            random.choices("aB9=,+/ \x00é\udcff\U0001f600", k=20)
        )
        assert not await accepts(webhook, Sample(headers={**harmless, name: value}, body=sample.body)), (
            name,
            value,
        )


@every_provider
@pytest.mark.parametrize("kind", CHANGES)
def test_a_sample_is_read_as_what_it_tells(provider: Provider, kind: SampleKind) -> None:
    samples, webhook = set_up(provider)
    reported = one(webhook.read(of(samples.sample(kind, problem=2, episode=0, at=NOW))))

    assert reported.change in CHANGES[kind]
    assert not reported.ignored
    assert not reported.ignored_if_unknown or kind is SampleKind.RECOVERED
    assert reported.title
    assert reported.component
    assert reported.dedup_key


@every_provider
def test_a_test_notification_has_no_effect(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    reading = webhook.read(of(samples.sample(SampleKind.TEST, problem=0, episode=0, at=NOW)))

    assert all(reported.ignored for reported in reading.alerts)


@every_provider
def test_a_genuine_body_that_makes_no_sense_is_unreadable(provider: Provider) -> None:
    samples, webhook = set_up(provider)

    with pytest.raises(Unreadable) as unreadable:
        webhook.read(of(samples.sample(SampleKind.GARBAGE, problem=0, episode=0, at=NOW)))

    assert re.search(r"[.!]$", str(unreadable.value)), "a sentence for a person"


@every_provider
@pytest.mark.parametrize("kind", READABLE)
def test_a_resent_delivery_is_known_by_its_id(provider: Provider, kind: SampleKind) -> None:
    """Equal arguments give an equal delivery, and an equal delivery has an equal id a minute later."""
    samples, webhook = set_up(provider)
    first = samples.sample(kind, problem=4, episode=1, at=NOW)
    again = samples.sample(kind, problem=4, episode=1, at=NOW)

    assert again == first
    assert id_of(webhook, again, at=NOW + timedelta(minutes=1)) == id_of(webhook, first, at=NOW)


@every_provider
def test_a_repeat_is_another_delivery_about_the_same_episode(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    began = samples.sample(SampleKind.TRIGGERED, problem=5, episode=0, at=NOW)
    again = samples.sample(SampleKind.REPEATED, problem=5, episode=0, at=LATER)
    first, repeat = one(webhook.read(of(began))), one(webhook.read(of(again, at=LATER)))

    assert id_of(webhook, again, at=LATER) != id_of(webhook, began, at=NOW)
    assert repeat.dedup_key == first.dedup_key
    assert repeat.occurrence == first.occurrence


@every_provider
def test_a_recovery_ends_the_episode_that_began(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    began = one(webhook.read(of(samples.sample(SampleKind.TRIGGERED, problem=6, episode=0, at=NOW))))
    ended = one(
        webhook.read(of(samples.sample(SampleKind.RECOVERED, problem=6, episode=0, at=LATER), at=LATER))
    )

    assert ended.dedup_key == began.dedup_key
    assert ended.occurrence in {began.occurrence, None}  # some tools name an episode by its beginning only
    if began.occurred_at and ended.occurred_at:
        assert ended.occurred_at > began.occurred_at


@every_provider
def test_the_next_episode_is_news(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    first = one(webhook.read(of(samples.sample(SampleKind.TRIGGERED, problem=7, episode=0, at=NOW))))
    second = one(
        webhook.read(of(samples.sample(SampleKind.TRIGGERED, problem=7, episode=1, at=LATER), at=LATER))
    )

    assert second.occurrence is None or second.occurrence != first.occurrence
    assert second.component == first.component


@every_provider
def test_two_problems_have_two_keys(provider: Provider) -> None:
    samples, webhook = set_up(provider)
    reported = [
        one(webhook.read(of(samples.sample(SampleKind.TRIGGERED, problem=problem, episode=0, at=NOW))))
        for problem in range(200)
    ]

    assert len({alert.dedup_key for alert in reported}) == 200
    assert len({alert.title for alert in reported}) > 50, "realistic ones, not one text 200 times"


@every_provider
def test_samples_have_the_size_of_real_deliveries(provider: Provider) -> None:
    sample = provider.samples().sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW)

    assert 500 < len(sample.body) < 8 * 1024


@every_provider
def test_a_mutated_body_is_read_or_unreadable_and_nothing_else(provider: Provider) -> None:
    """500 damaged bodies of every kind of sample: a reading whose values are sound, or Unreadable."""
    samples, webhook = set_up(provider)

    for kind in SampleKind:
        sample = samples.sample(kind, problem=8, episode=0, at=NOW)
        for body in mutated(sample.body, MUTATIONS):
            check_body(webhook, body, sample.headers)


@every_provider
@given(data=st.data())
@settings(max_examples=100)
def test_no_json_crashes_a_reader(provider: Provider, data: st.DataObject) -> None:
    """Any JSON value under any of the names that the vendor's samples use."""
    names = st.sampled_from(sample_names(provider.name)) | st.text(max_size=8)
    body = data.draw(st.dictionaries(names, json_values(names), max_size=12))

    check_body(set_up_once(provider.name)[1], json.dumps(body).encode(), {})


@every_provider
@given(body=st.binary(max_size=200))
@settings(max_examples=50)
async def test_no_bytes_crash_the_check_of_the_sender(provider: Provider, body: bytes) -> None:
    samples, webhook = set_up_once(provider.name)
    sample = samples.sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW)

    await accepts(webhook, Sample(headers=sample.headers, body=body))
    assert not await accepts(webhook, Sample(headers={}, body=body))
    check_body(webhook, body, sample.headers)


def id_of(webhook: Webhook, sample: Sample, *, at: datetime) -> str:
    """What the delivery is known by: the sender's name for it, else its body."""
    asked = of(sample, at=at)
    return webhook.read(asked).delivery_id or body_digest(asked)


async def accepts(webhook: Webhook, sample: Sample) -> bool:
    try:
        return bool(await webhook.authenticate(of(sample)))
    except (Refused, TryAgain):
        return False


def check_body(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> None:
    asked = Request(headers=headers, body=body, received_at=NOW)
    try:
        reading = webhook.read(asked)
    except Unreadable:
        return
    assert reading == webhook.read(asked), "reading is pure"
    assert len(reading.delivery_id) <= 500
    for reported in reading.alerts:
        check_reported(reported)


def check_reported(reported: Reported) -> None:
    """The values are fit to be stored, compared and shown."""
    assert 0 < len(reported.dedup_key) <= 500
    assert reported.occurrence is None or 0 < len(reported.occurrence) <= 500
    assert "\n" not in reported.title
    assert len(reported.title) <= 500
    assert len(reported.text) <= 20_000
    assert reported.change is not Change.UPDATED or reported.said or reported.ignored
    for address in (reported.url, reported.runbook):
        assert not address or re.fullmatch(r"(?i:https?)://[^\s\x00-\x1f]+", address)
    for words in (reported.title, reported.text, reported.component, reported.condition, reported.value):
        words.encode()  # no lone surrogates
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", words)
    for key in (reported.dedup_key, reported.occurrence or "", reported.said):
        key.encode()
    if reported.occurred_at:
        assert reported.occurred_at.utcoffset() == timedelta(0)
        assert datetime(2000, 1, 1, tzinfo=UTC) <= reported.occurred_at <= NOW + timedelta(days=1)


def without(sample: Sample, name: str) -> Sample:
    return Sample(
        headers={key: value for key, value in sample.headers.items() if key != name}, body=sample.body
    )


def forged(value: str) -> set[str]:
    """Values that are not this one, however alike they look."""
    last = "1" if value[-1] == "0" else "0"
    scheme, space, rest = value.partition(" ")
    return {
        "",
        " ",
        value[:-1],
        value[:-1] + last,
        value + "0",
        value[1:],
        value * 50,
        value[::-1],
        f"{scheme}{space}",
        f"{scheme}{space}{rest[:-1]}é",
        f"{scheme}{space}{rest[:-1]}\udcff",
        f"{scheme}{space}\U0001f600",
        f"{scheme}{space}" + "=" * 100,
        "Basic",
        "Basic !",
        "Basic Og==",
        "Basic /////w==",
        "Bearer",
        "v1=",
    }


@cache
def set_up_once(name: str) -> tuple[Samples, Webhook]:
    """For the tests that ask a hundred times: some samples cost a key pair."""
    return set_up(all_providers()[name])


@cache
def sample_names(provider: str) -> list[str]:
    """Every key that the provider's samples use, at any depth."""
    samples, _ = set_up_once(provider)
    names: set[str] = {"x"}
    for kind in SampleKind:
        body = samples.sample(kind, problem=0, episode=0, at=NOW).body
        try:
            names |= {key for _, key in places(json.loads(body)) if isinstance(key, str)}
        except ValueError:
            continue
    return sorted(names)


def json_values(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
    )
    words = st.sampled_from(
        [word for word in WEIRD if isinstance(word, str)] + ["firing", "ACTIVATED", "Triggered"]
    )
    return st.recursive(
        scalars | words,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=10,
    )


def test_a_request_without_a_body_is_unreadable_everywhere() -> None:
    for provider in all_providers().values():
        with pytest.raises(Unreadable):
            webhook_of(provider).read(request(b""))
