"""Where a notification ends: whether one of a monitor's targets reaches a person who is on call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.monitor import Target, TargetKind
from bot.domain.oncall import InSlack, Responder, Roster
from bot.domain.paging import Service, Services, masked
from bot.domain.shortfall import UNKNOWN_WHYS, Question, Shortfall, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What decides whether a target reaches a person.

    `approved` are the channels that may be used; `services` PagerDuty's services and integration keys with the team
    that they call; both compared without case and without their signs. `own` are the ends at which socmon itself
    listens, and `team` whom it then calls. `archived` are Slack channels that nobody reads any more. `roster` is None
    when nobody can tell who is on call, and `unsure` says why. `paging` is what PagerDuty itself says of its services,
    None where it is not asked.
    """

    approved: frozenset[str] = frozenset()
    services: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    team: str = ""
    archived: frozenset[str] = frozenset()
    roster: Roster | None = None
    unsure: str = "socmon does not know yet who is on call."
    paging: Services | None = None


def reaches_nobody(targets: tuple[Target, ...], routes: Routes, now: datetime) -> Shortfall | None:
    """None when one of the targets is alive, approved and reaches somebody on call; else why none does.

    What opens something at its end has to hear of the recovery as well: PagerDuty counts the next alert to the incident
    that is still open, and calls nobody again.
    """
    if not targets:
        return Shortfall(
            question=Question.ROUTED,
            why=Why.NO_TARGET,
            says="It notifies nobody: it has no target.",
            mend="Give it a target that calls the team on duty.",
        )
    wrong: list[Shortfall] = []
    for target in targets:
        found = _end(target, routes, now)
        if found is None:
            return None
        wrong.append(found)
    # What nobody can tell comes first: that one may reach somebody.
    first = next((each for each in wrong if each.why in UNKNOWN_WHYS), wrong[0])
    says = " ".join(dict.fromkeys(each.says for each in wrong[:_MOST_TARGETS]))
    return replace(first, says=says)


_MOST_TARGETS = 5


def _end(target: Target, routes: Routes, now: datetime) -> Shortfall | None:
    def shortfall(why: Why, says: str, mend: str) -> Shortfall:
        return Shortfall(question=Question.ROUTED, why=why, says=says, mend=mend)

    ends = (target.name, *target.reaches)
    folded = {folded_end(end) for end in ends}
    service = _service_of(target, folded, routes.paging)
    dead = target.dead or (service.dead if service else "")
    if target.kind is TargetKind.SLACK and folded & routes.archived:
        dead = dead or "the channel is archived in Slack."
    if dead:
        mend = "Mend the target, or send it elsewhere."
        return shortfall(
            Why.DEAD_TARGET, f"{target.kind} {target.name} reaches nobody: {_sentence(dead)}", mend
        )
    # A Slack channel may bear the name of a service.
    teams = [] if target.kind is TargetKind.SLACK else _teams_of(folded, service, routes)
    own = any(_is_own(end, routes.own) for end in ends)
    if own or teams:
        called = routes.team if own else teams[0]
        missed = _team_called(called, f"{target.kind} {target.name}", routes, now, shortfall)
        return missed or _stays_open(target, shortfall)
    if target.kind is not TargetKind.PAGERDUTY and folded & routes.approved:
        return _anybody_called(target, routes, now, shortfall)
    if routes.roster and _on_call_by_mail(folded, routes.roster, now):
        return None
    return _leads_nowhere(target, service, routes, shortfall)


def _stays_open(target: Target, shortfall: "Make") -> Shortfall | None:
    if target.recovery:
        return None
    return shortfall(
        Why.NO_RECOVERY,
        f"{target.kind} {target.name} is told of the alert and never of its recovery, so what it opens stays open and"
        " takes in the next alert without a call.",
        "Tell it of the recovery as well.",
    )


def _service_of(target: Target, folded: set[str], paging: Services | None) -> Service | None:
    """By a key or an address in any tool; by a name where a tool says that it is a service's."""
    if paging is None:
        return None
    says = target.reaches if target.kind is TargetKind.PAGERDUTY else ()
    return paging.paged_by(sorted(folded)) or paging.named(map(folded_end, says))


def _leads_nowhere(target: Target, service: Service | None, routes: Routes, shortfall: "Make") -> Shortfall:
    paging = routes.paging
    if service and routes.roster is None:
        return shortfall(Why.NO_ROSTER, routes.unsure, "`/socmon oncall` shows what is known.")
    if service:
        policy = service.policy_name or service.policy
        return shortfall(
            Why.NO_TEAM,
            f"PagerDuty's service {service.name} calls by the escalation policy {policy}, which is no team's here.",
            f'Name it for a team under [[on_call.teams]]: pagerduty_policy = "{service.policy}".',
        )
    if target.kind is TargetKind.PAGERDUTY and paging and target.reaches:
        if paging.unsure:
            says = f"Nobody can tell whom PagerDuty {target.name} calls. {paging.unsure}"
            return shortfall(Why.NO_ANSWER, says, "`socmon doctor` tests the connection to PagerDuty.")
        if paging.lacks(target.reaches):
            return shortfall(
                Why.DEAD_TARGET,
                f"{target.kind} {target.name} reaches nobody: PagerDuty has no such service or integration key.",
                "Correct the name or the key where the tool is connected to PagerDuty.",
            )
    if target.kind is TargetKind.PAGERDUTY:
        return shortfall(
            Why.NO_TEAM,
            f"PagerDuty {target.name} belongs to no team that socmon knows, so nobody can say whom it calls.",
            "Name its service or integration key with its team under [notifications.services].",
        )
    return shortfall(
        Why.NOT_APPROVED,
        f"{target.kind} {target.name} is not an approved channel.",
        "Send it to an approved one, or add this one to approved_channels under [notifications].",
    )


Make = Callable[[Why, str, str], Shortfall]


def _teams_of(folded: set[str], service: Service | None, routes: Routes) -> list[str]:
    """What the configuration says of an end stands before what its service says."""
    names = folded | ({folded_end(service.name), service.id.casefold()} if service else set())
    found = [routes.services[end] for end in sorted(names) if end in routes.services]
    policies = folded | ({service.policy.casefold()} if service else set())
    named = routes.roster.teams if routes.roster else ()
    return found + [team.name for team in named if team.policy and team.policy.casefold() in policies]


def _team_called(name: str, what: str, routes: Routes, now: datetime, shortfall: Make) -> Shortfall | None:
    if routes.roster is None:
        return shortfall(Why.NO_ROSTER, routes.unsure, "`/socmon oncall` shows what is known.")
    if not any(team.name == name for team in routes.roster.teams):
        says = f"{what} calls the team {name or '(none is set)'}, and nobody knows who is on call for it."
        return shortfall(Why.NO_ROSTER, says, "Add the team under [on_call], or name another one for it.")
    people = routes.roster.on_call(name, now)
    if not people:
        says = f"{what} calls {name}, where nobody is on call now."
        return shortfall(Why.NOBODY, says, "Fill the shift.")
    if not any(_is_reachable(each) for each in people):
        who = ", ".join(each.name for each in people)
        says = f"{what} calls {who} of {name}, who cannot be reached now."
        return shortfall(
            Why.UNREACHABLE, says, "`/socmon oncall` says what is wrong; mend it, or change the shift."
        )
    return None


def _anybody_called(target: Target, routes: Routes, now: datetime, shortfall: Make) -> Shortfall | None:
    """An approved channel is read by whoever is on call; when nobody is, by nobody."""
    if routes.roster is None:
        return shortfall(Why.NO_ROSTER, routes.unsure, "`/socmon oncall` shows what is known.")
    people = [each for team in routes.roster.teams for each in routes.roster.on_call(team.name, now)]
    if not people:
        says = f"Nobody is on call now who would see {target.kind} {target.name}."
        return shortfall(Why.NOBODY, says, "Fill the shift.")
    if target.kind is TargetKind.SLACK and not any(each.in_slack is InSlack.ACTIVE for each in people):
        says = f"Nobody who is on call now has an active Slack account to read {target.name} with."
        return shortfall(
            Why.UNREACHABLE, says, "`/socmon oncall` says what is wrong; mend it, or change the shift."
        )
    return None


def _is_reachable(person: Responder) -> bool:
    return person.reachable and person.in_slack is not InSlack.DEACTIVATED


def _on_call_by_mail(folded: set[str], roster: Roster, now: datetime) -> bool:
    return any(
        person.email and person.email.casefold() in folded and _is_reachable(person)
        for team in roster.teams
        for person in roster.on_call(team.name, now)
    )


def folded_end(end: str) -> str:
    """An end of a route as it is compared: “@slack-Ops”, “#ops” and “ops” are the same channel.

    Integration keys are compared by their digests.
    """
    folded = end.strip().casefold().removeprefix("@")
    for prefix in ("slack-", "pagerduty-"):
        folded = folded.removeprefix(prefix)
    return masked(folded.removeprefix("#"))


def _is_own(end: str, own: frozenset[str]) -> bool:
    return any(end == one or end.startswith(f"{one.rstrip('/')}/") for one in own)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
