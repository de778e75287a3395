"""Who a Slack user is: member or guest, in which groups, with which e-mail; and so which roles they hold.

Answers are kept for five minutes; an old answer is used when Slack gives no new one, so that Slack's troubles at 3 a.m.
do not lock out the person who wants to acknowledge.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, answer_of
from bot.domain.errors import NotPermitted
from bot.domain.person import Person, Role
from bot.ports import Clock

FRESH_SECONDS = 300.0
NO_ROLES: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float
    value: Any


class Directory:
    """The configuration's role holders, held against what Slack says of a person."""

    def __init__(self, client: AsyncWebClient, holders: Mapping[Role, tuple[str, ...]], clock: Clock) -> None:
        self._client, self._holders, self._clock = client, holders, clock
        self._kept: dict[str, _Kept] = {}

    async def person(self, user: str, team: str) -> Person:
        """Raises NotPermitted when Slack cannot be asked about somebody it was never asked about before.

        A group that Slack does not tell of (somebody deleted it) takes no other role away.
        """
        roles: set[Role] = set()
        unknown: NotPermitted | None = None
        if team == await self._home_team() and await self._is_full_member(user):
            for role in Role:
                try:
                    if await self._holds(user, role):
                        roles.add(role)
                except NotPermitted as error:
                    unknown = error
        if unknown and not roles:
            raise unknown
        return Person(team=team, user=user, roles=frozenset(roles), holders=self._named())

    async def names(self, users: Collection[str]) -> dict[str, str]:
        """What people are called, for texts that must not call them; whoever Slack does not tell of is left out."""
        found = {}
        for user in users:
            if user.startswith(("U", "W")):
                with suppress(NotPermitted):
                    profile = await self._profile(user)
                    found[user] = profile.get("display_name") or profile.get("real_name") or user
        return found

    async def admins(self) -> list[str]:
        """Slack user ids to tell about trouble: the admins named by id, else the leads."""
        by_id = {
            role: [
                holder for holder in self._holders.get(role, ()) if holder[:1] in "UW" and "@" not in holder
            ]
            for role in (Role.ADMIN, Role.LEAD)
        }
        return by_id[Role.ADMIN] or by_id[Role.LEAD]

    def _named(self) -> tuple[tuple[Role, tuple[str, ...]], ...]:
        return tuple(
            (role, tuple(map(_mention, holders))) for role, holders in self._holders.items() if holders
        )

    async def _holds(self, user: str, role: Role) -> bool:
        for holder in self._holders.get(role, ()):
            if holder in {"*", user}:
                return True
            if "@" in holder and holder.casefold() == (await self._email(user)).casefold():
                return True
            if holder.startswith("S") and "@" not in holder and user in await self._group(holder):
                return True
        return False

    async def _is_full_member(self, user: str) -> bool:
        """People only: no bots, no guests, nobody from a connected workspace, nobody who has left."""
        info = await self._info(user)
        kinds = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        return not any(info.get(kind) for kind in kinds)

    async def _email(self, user: str) -> str:
        return (await self._profile(user)).get("email") or ""

    async def _profile(self, user: str) -> Mapping[str, str]:
        profile: Mapping[str, str] = (await self._info(user)).get("profile") or {}
        return profile

    async def _info(self, user: str) -> Mapping[str, Any]:
        info: Mapping[str, Any] = await self._ask(
            f"user:{user}", lambda: self._client.users_info(user=user), lambda answer: answer["user"]
        )
        return info

    async def _group(self, group: str) -> list[str]:
        users: list[str] = await self._ask(
            f"group:{group}",
            lambda: self._client.usergroups_users_list(usergroup=group),
            lambda answer: answer["users"],
        )
        return users

    async def _home_team(self) -> str:
        team: str = await self._ask("team", self._client.auth_test, lambda answer: answer["team_id"])
        return team

    async def _ask(self, key: str, call: Any, pick: Any) -> Any:
        kept = self._kept.get(key)
        now = self._clock.monotonic()
        if kept and now - kept.at < FRESH_SECONDS:
            return kept.value
        try:
            value = pick(await answer_of(call()))
        except (NoAnswer, RateLimited, SlackSaysNo) as error:
            if kept:
                return kept.value
            raise NotPermitted(
                f"Slack did not tell who you are ({error}), so nothing was changed. Try again in a moment."
            ) from error
        self._kept[key] = _Kept(now, value)
        return value


def _mention(holder: str) -> str:
    if holder == "*":
        return "every full member"
    if "@" in holder:
        return holder
    return f"<!subteam^{holder}>" if holder.startswith("S") else f"<@{holder}>"
