"""The monitoring tools of the playground send what they should, to the bot's real webhooks."""

import base64
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.playground.sources import FLAPS, STORM, forged
from bot.providers import all_providers
from bot.providers.contract import Sample, SampleKind
from tests.playground.rig import Rig


def use(rig: Rig, action: str, provider: str = "tiny") -> list[dict[str, Any]]:
    answer = rig.http.post(f"sources/{provider}/{action}").json()
    assert answer["ok"], answer
    answers: list[dict[str, Any]] = answer["answers"]
    return answers


def told(rig: Rig) -> list[tuple[str, int, int]]:
    """(kind, problem, episode) of what arrived, problems counted from the first of this test."""
    first = min((body["problem"] for _, body in rig.deliveries), default=1)
    return [(body["kind"], body["problem"] - first + 1, body["episode"]) for _, body in rig.deliveries]


def test_each_trigger_is_a_new_problem_and_recover_ends_the_newest(rig: Rig) -> None:
    use(rig, "trigger")
    use(rig, "trigger")
    answers = use(rig, "recover")

    assert told(rig) == [("triggered", 1, 1), ("triggered", 2, 1), ("recovered", 2, 1)]
    assert (answers[0]["status"], answers[0]["kind"]) == (202, "recovered")


def test_a_flap_is_one_problem_in_several_episodes(rig: Rig) -> None:
    use(rig, "trigger")
    use(rig, "flap")

    comings = [part for n in range(1, FLAPS + 1) for part in (("recovered", 1, n), ("triggered", 1, n + 1))]
    assert told(rig) == [("triggered", 1, 1), *comings]


def test_a_storm_is_fifty_different_problems(rig: Rig) -> None:
    answers = use(rig, "storm")

    assert len(answers) == STORM
    assert Counter(answer["status"] for answer in answers) == {202: STORM}
    assert sorted(problem for _, problem, _ in told(rig)) == list(range(1, STORM + 1))


@pytest.mark.parametrize(
    ("action", "kind"),
    [("test", "test"), ("no_data", "no_data"), ("garbage", "garbage"), ("repeat", "repeated")],
)
def test_the_other_buttons_tell_what_they_say(rig: Rig, action: str, kind: str) -> None:
    use(rig, "trigger")
    use(rig, action)

    assert told(rig)[-1] == (kind, 1, 1)


def test_a_forged_delivery_is_refused(rig: Rig) -> None:
    answers = use(rig, "forged")

    assert [answer["status"] for answer in answers] == [401]
    assert rig.deliveries == []


def test_a_refused_delivery_uses_up_no_number(rig: Rig) -> None:
    use(rig, "trigger")
    use(rig, "forged")
    use(rig, "recover")

    assert told(rig) == [("triggered", 1, 1), ("recovered", 1, 1)]


def test_tools_have_their_own_numbers(rig: Rig) -> None:
    use(rig, "trigger", "tiny")
    before = rig.deliveries[-1][1]["problem"]
    use(rig, "trigger", "other")
    use(rig, "trigger", "tiny")

    assert rig.deliveries[-1] == ("tiny", {**rig.deliveries[-1][1], "problem": before + 1})


@pytest.mark.parametrize("path", ["sources/nobody/trigger", "sources/tiny/explode"])
def test_what_is_not_there_is_explained(rig: Rig, path: str) -> None:
    answer = rig.http.post(path)

    assert answer.status_code == 400
    assert "response_metadata" in answer.json()


HEADERS = {
    "a secret": {"x-socmon-secret": "s3cret-0123"},
    "a bare hex signature": {"x-grafana-alerting-signature": "00ff"},
    "a named signature": {"x-pagerduty-signature": "v1=00ff"},
    "a bearer token": {"authorization": "Bearer abc-123"},
    "a password": {"authorization": "Basic " + base64.b64encode(b"socmon:secret").decode()},
    "a secret without digits": {"x-webhook-token": "zzz"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_forging_changes_the_proof_and_nothing_else(name: str) -> None:
    genuine = Sample(headers={"content-type": "application/json", **HEADERS[name]}, body=b"{}")

    broken = forged(genuine)

    (header,) = HEADERS[name]
    assert broken.headers[header] != genuine.headers[header]
    assert broken.headers[header].partition(" ")[0].partition("=")[0][:2] == genuine.headers[header][:2] or (
        name in {"a secret", "a bare hex signature", "a secret without digits"}
    )
    assert (broken.headers["content-type"], broken.body) == ("application/json", b"{}")


@pytest.mark.parametrize("provider", sorted(all_providers()))
def test_every_providers_samples_can_be_forged(provider: str) -> None:
    genuine = (
        all_providers()[provider]
        .samples()
        .sample(SampleKind.TRIGGERED, problem=1, episode=1, at=datetime(2026, 11, 24, tzinfo=UTC))
    )

    broken = forged(genuine)

    assert (broken.headers, broken.body) != (genuine.headers, genuine.body)
    assert set(broken.headers) == set(genuine.headers)
