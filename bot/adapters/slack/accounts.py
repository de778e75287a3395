"""Which Slack user a person on call is: by an explicit link, else by e-mail address. Never by a display name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.adapters.slack.directory import Directory
from bot.adapters.slack.text import clean
from bot.domain.errors import Unidentified
from bot.domain.oncall import AccountLink, InSlack, Responder, Roster, StoredRoster
from bot.domain.rota import ROTA


class Accounts:
    """Holds rosters against Slack. While Slack is silent, what it said of a person before stands."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def match(
        self, roster: Roster, links: Sequence[AccountLink], before: StoredRoster | None
    ) -> Roster:
        """The roster, its people with their Slack accounts."""
        sources = {shift.responder: team.source for team in roster.teams for shift in team.shifts}
        linked = {(link.provider, link.account): link.slack_user for link in links}
        was = {each.id: each for each in before.roster.responders} if before else {}
        matched = [
            await self._matched(person, sources.get(person.id, ""), linked, was.get(person.id))
            for person in roster.responders
        ]
        return replace(roster, responders=tuple(matched))

    async def _matched(
        self, person: Responder, source: str, linked: Mapping[tuple[str, str], str], was: Responder | None
    ) -> Responder:
        try:
            if source == ROTA:
                return await self._named(person)
            if user := linked.get((source, person.id)):
                return await self._with(person, user)
            if user := await self._directory.user_with(person.email) if person.email else "":
                return await self._with(person, user)
            if was and was.slack and was.email == person.email:
                # Slack no longer finds the address: because the account was deactivated, or given another one.
                found = await self._with(person, was.slack)
                if found.in_slack is InSlack.DEACTIVATED:
                    return found
            return replace(person, slack="", in_slack=InSlack.NONE)
        except Unidentified:
            return _as_before(person, was)

    async def _named(self, person: Responder) -> Responder:
        """A rota names Slack users; what they are called is Slack's to say."""
        names = await self._directory.names([person.id])
        return await self._with(replace(person, name=clean(names[person.id]) or person.id), person.id)

    async def _with(self, person: Responder, user: str) -> Responder:
        active = await self._directory.is_active(user)
        return replace(person, slack=user, in_slack=InSlack.ACTIVE if active else InSlack.DEACTIVATED)


def _as_before(person: Responder, was: Responder | None) -> Responder:
    if was is None:
        return person
    name = was.name if person.name == person.id else person.name
    return replace(person, name=name, slack=was.slack, in_slack=was.in_slack)
