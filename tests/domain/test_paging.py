"""Which service a target means, and whom that calls."""

from dataclasses import replace

import pytest

from bot.domain.monitor import Target, TargetKind
from bot.domain.paging import Service, Services, ServiceState, digest_of
from bot.domain.route import reaches_nobody
from bot.domain.shortfall import Why
from bot.procedures.assess_coverage import routes as configured
from tests.fleets import ROUTES
from tests.rosters import NOW, roster

KEY, OTHER_KEY, ROUTING_KEY = "0123456789abcdef" * 2, "f" * 32, "R0" + "A1" * 15
ADDRESS = "shop@example.pagerduty.com"
SHOP = Service(
    id="PSVC1",
    name="Web Shop",
    state=ServiceState.ACTIVE,
    policy="PT20YPA",
    ends=frozenset(map(digest_of, (KEY, ADDRESS))),
)
OTHER = replace(SHOP, id="PSVC2", name="Data", policy="PNOBODY", policy_name="Data people", ends=frozenset())
TEAM = replace(roster().team("platform"), policy="PT20YPA")
CALLED = replace(
    ROUTES,
    services={},
    approved=frozenset({"webshop"}),
    roster=replace(roster(), teams=(TEAM,)),
    paging=Services(every=(SHOP, OTHER)),
)


def pages(*reaches: str, name: str = "pagerduty") -> Target:
    return Target(kind=TargetKind.PAGERDUTY, name=name, reaches=reaches)


@pytest.mark.parametrize(
    "target",
    [
        pages(KEY),
        pages(digest_of(KEY)),
        pages("psvc1"),
        pages("Web Shop"),
        pages("Web-Shop", name="pagerduty-Web-Shop"),
        Target(kind=TargetKind.EMAIL, name="mail", reaches=(ADDRESS.upper(),)),
    ],
)
def test_a_target_leads_to_the_team_of_its_services_policy(target: Target) -> None:
    assert reaches_nobody((target,), CALLED, NOW) is None


def services(*every: Service, unsure: str = "") -> Services:
    return Services(every=every, unsure=unsure)


@pytest.mark.parametrize(
    ("paging", "target", "why", "says"),
    [
        (services(replace(SHOP, state=ServiceState.DISABLED)), pages(KEY), Why.DEAD_TARGET, "disabled"),
        (services(replace(SHOP, state=ServiceState.MAINTENANCE)), pages(KEY), Why.DEAD_TARGET, "maintenance"),
        (services(replace(SHOP, rings=False)), pages(KEY), Why.DEAD_TARGET, "low urgency"),
        (services(SHOP), pages(OTHER_KEY), Why.DEAD_TARGET, "no such service or integration key"),
        (services(SHOP), pages("Shop"), Why.DEAD_TARGET, "no such service"),
        (services(SHOP, OTHER), pages("Data"), Why.NO_TEAM, "escalation policy Data people"),
        # A key that PagerDuty hides, or an orchestration's, may be somebody's all the same.
        (services(replace(SHOP, hides_keys=True)), pages(OTHER_KEY), Why.NO_TEAM, "no team"),
        (services(SHOP), pages(ROUTING_KEY), Why.NO_TEAM, "no team"),
        # Alertmanager shows no key: its receiver is not a service of the same name.
        (services(SHOP), pages(name="Web Shop"), Why.NO_TEAM, "no team"),
        # Two of one name: nobody can say which is meant.
        (services(SHOP, replace(SHOP, id="PSVC3")), pages("Web Shop"), Why.DEAD_TARGET, "no such"),
        (services(unsure="It is too old."), pages(KEY), Why.NO_ANSWER, "It is too old."),
    ],
)
def test_dead_ends_of_pagerduty_have_names(paging: Services, target: Target, why: Why, says: str) -> None:
    found = reaches_nobody((target,), replace(CALLED, paging=paging), NOW)

    assert found is not None
    assert (found.why, says in found.says) == (why, True)
    assert not any(key in found.says for key in (KEY, OTHER_KEY))


def test_what_is_configured_stands_before_what_pagerduty_says_of_the_team() -> None:
    """And not before what it says of the service: what is off there calls nobody."""
    routes = replace(CALLED, services={"data": "platform"})
    off = replace(routes, paging=services(replace(OTHER, state=ServiceState.DISABLED)))
    silent = replace(routes, paging=services(unsure="It answers 403."))

    ends = [reaches_nobody((pages("Data"),), each, NOW) for each in (routes, off, silent)]

    assert [each and each.why for each in ends] == [None, Why.DEAD_TARGET, None]


def test_a_key_in_the_configuration_is_compared_by_its_digest() -> None:
    """A tool's route names the digest only; the configuration may name the key itself."""
    for key in (OTHER_KEY, ROUTING_KEY):
        known = configured(None, NOW, approved=(), services={key: "platform"}, own=(), team="")
        called = replace(known, roster=roster())

        assert reaches_nobody((pages(digest_of(key)),), called, NOW) is None


def test_a_policy_without_anybody_on_call_calls_nobody() -> None:
    empty = replace(CALLED, roster=replace(roster(), teams=(replace(TEAM, shifts=()),)))
    unknown = replace(CALLED, roster=None, unsure="Who is on call was last known yesterday.")

    found = [reaches_nobody((pages(KEY),), each, NOW) for each in (empty, unknown)]

    assert [each and each.why for each in found] == [Why.NOBODY, Why.NO_ROSTER]


def test_a_slack_channel_is_no_service_of_the_same_name() -> None:
    channel = Target(kind=TargetKind.SLACK, name="#web-shop", reaches=("#web-shop",))
    off = replace(CALLED, paging=services(replace(SHOP, state=ServiceState.DISABLED)))

    found = reaches_nobody((channel,), off, NOW)

    assert found is not None
    assert found.why is Why.NOT_APPROVED
