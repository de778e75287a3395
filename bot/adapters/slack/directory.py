"""Who a Slack user is: member or guest, in which groups, with which e-mail; and so which roles they hold.

Answers are kept for five minutes. When Slack does not answer, one of the last day is used, so that Slack's troubles at
3 a.m. do not lock out the person who wants to acknowledge. A “no” of Slack's is an answer, too: no role outlives the
group or the account that gave it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, answer_of
from bot.domain.errors import Unidentified
from bot.domain.person import Person, Role
from bot.ports import Clock

FRESH_SECONDS = 300.0
USABLE_SECONDS = 86_400.0
GONE = frozenset(
    {"no_such_subteam", "subteam_disabled", "user_not_found", "user_not_visible", "users_not_found"}
)


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float
    value: Any


class Directory:
    """The configuration's role holders, held against what Slack says of a person."""

    def __init__(self, client: AsyncWebClient, holders: Mapping[Role, tuple[str, ...]], clock: Clock) -> None:
        self._client, self._holders, self._clock = client, holders, clock
        self._groups = list({each for holder in holders.values() for each in holder if _is_group(each)})
        self._kept: dict[str, _Kept] = {}
        self._asking: set[asyncio.Task[Person]] = set()

    async def person(self, user: str, team: str) -> Person:
        """Raises Unidentified when Slack does not say who somebody is.

        Everything is asked at once. A group that Slack does not tell of takes no other role away.
        """
        home, info, *groups = await asyncio.gather(
            self._home_team(), self._info(user), *map(self._known_group, self._groups)
        )
        if team != home or not _is_full_member(info):
            return Person(team=team, user=user, roles=frozenset(), is_member=False)
        members = dict(zip(self._groups, groups, strict=True))
        ways = {"*", user, *(group for group, users in members.items() if user in (users or ()))}
        if email := (info.get("profile") or {}).get("email"):
            ways.add(email.casefold())
        roles = frozenset(
            role
            for role, holders in self._holders.items()
            if any((each.casefold() if "@" in each else each) in ways for each in holders)
        )
        if not roles and None in members.values():
            raise Unidentified("Slack did not say who is in a user group that gives roles")
        return Person(team=team, user=user, roles=roles, holders=self._named())

    async def member(self, user: str) -> Person:
        """A person of this workspace, who has not just said anything. Raises Unidentified."""
        return await self.person(user, await self._home_team())

    async def person_within(self, seconds: float, user: str, team: str) -> Person:
        """As `person`, but not later; an answer that comes too late is kept for the next time."""
        asking = asyncio.create_task(self.person(user, team))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        await asyncio.wait([asking], timeout=seconds)
        if not asking.done():
            raise Unidentified("Slack did not say who you are in time")
        return asking.result()

    def _asked(self, asking: asyncio.Task[Person]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # seen: nobody may be waiting any more

    async def names(self, users: Collection[str]) -> dict[str, str]:
        """What people are called, for texts that must not call them; the bare id of whom Slack does not tell of."""
        people = [user for user in users if user.startswith(("U", "W"))]
        return dict(zip(people, await asyncio.gather(*map(self._name, people)), strict=True))

    async def user_with(self, email: str) -> str:
        """The Slack user with this e-mail address, or "". Raises Unidentified."""
        user: str = await self._ask(
            f"email:{email}",
            lambda: self._client.users_lookupByEmail(email=email),
            lambda answer: answer["user"]["id"],
            gone="",
        )
        return user

    async def is_active(self, user: str) -> bool:
        """Whether Slack knows this user, and nobody has deactivated them. Raises Unidentified."""
        return not (await self._info(user)).get("deleted")

    async def email(self, user: str) -> str:
        """Somebody's e-mail address; "" where Slack does not tell it."""
        with suppress(Unidentified):
            return str((await self._info(user)).get("profile", {}).get("email") or "")
        return ""

    async def admins(self) -> list[str]:
        """Slack user ids to tell about trouble: the admins, else the leads; without those Slack does not know."""
        for role in (Role.ADMIN, Role.LEAD):
            if found := await self._users(self._holders.get(role, ())):
                return found
        return []

    async def leads(self) -> list[str]:
        """Slack user ids of the Engineering Lead, else of the backup; without those Slack does not know."""
        for role in (Role.LEAD, Role.BACKUP_LEAD):
            if found := await self._users(self._holders.get(role, ())):
                return found
        return []

    async def holders_of(self, role: Role) -> list[str]:
        """Slack user ids of those who hold a role; without those Slack does not know."""
        return await self._users(self._holders.get(role, ()))

    async def approvers(self, *, besides: str) -> list[str]:
        """As `leads`, without the person who asks for an approval: a lone lead's own is the backup's to give."""
        for role in (Role.LEAD, Role.BACKUP_LEAD):
            found = await self._users(self._holders.get(role, ()))
            if others := [user for user in found if user != besides]:
                return others
        return []

    async def members(self, groups: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The people in each user group; nobody where Slack does not tell."""
        found = await asyncio.gather(*map(self._users_of, groups))
        return {group: tuple(users) for group, users in zip(groups, found, strict=True)}

    async def _users(self, holders: Collection[str]) -> list[str]:
        found = await asyncio.gather(*map(self._users_of, holders))
        return list(dict.fromkeys(user for users in found for user in users))

    async def _users_of(self, holder: str) -> list[str]:
        with suppress(Unidentified):
            if "@" in holder:
                return list(filter(None, [await self.user_with(holder)]))
            if _is_group(holder):
                return await self._group(holder)
            return [holder] if holder != "*" else []
        return []

    async def _name(self, user: str) -> str:
        with suppress(Unidentified):
            profile = (await self._info(user)).get("profile") or {}
            return profile.get("display_name") or profile.get("real_name") or user
        return user

    def _named(self) -> tuple[tuple[Role, tuple[str, ...]], ...]:
        return tuple(
            (role, tuple(map(_mention, holders))) for role, holders in self._holders.items() if holders
        )

    async def _info(self, user: str) -> Mapping[str, Any]:
        info: Mapping[str, Any] = await self._ask(
            f"user:{user}",
            lambda: self._client.users_info(user=user),
            lambda answer: answer["user"],
            gone={"deleted": True},
        )
        return info

    async def _known_group(self, group: str) -> list[str] | None:
        with suppress(Unidentified):
            return await self._group(group)
        return None

    async def _group(self, group: str) -> list[str]:
        users: list[str] = await self._ask(
            f"group:{group}",
            lambda: self._client.usergroups_users_list(usergroup=group),
            lambda answer: answer["users"],
            gone=[],
        )
        return users

    async def _home_team(self) -> str:
        team: str = await self._ask("team", self._client.auth_test, lambda answer: answer["team_id"])
        return team

    async def _ask(
        self,
        key: str,
        call: Callable[[], Awaitable[Any]],
        pick: Callable[[dict[str, Any]], Any],
        gone: Any = None,
    ) -> Any:
        """What Slack says, or `gone` when it says that there is no such thing (any more). Raises Unidentified."""
        kept = self._kept.get(key)
        now = self._clock.monotonic()
        if kept and now - kept.at < FRESH_SECONDS:
            return kept.value
        try:
            value = pick(await answer_of(call()))
        except (NoAnswer, RateLimited) as error:
            if kept and now - kept.at < USABLE_SECONDS:
                return kept.value
            raise Unidentified(f"Slack did not say who you are ({error})") from error
        except SlackSaysNo as error:
            if error.error not in GONE:
                self._kept.pop(key, None)
                raise Unidentified(f"Slack does not say who you are ({error})") from error
            value = gone
        self._kept[key] = _Kept(now, value)
        return value


def _is_full_member(info: Mapping[str, Any]) -> bool:
    """People only: no bots, no guests, nobody from a connected workspace, nobody who has left."""
    kinds = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
    return not any(info.get(kind) for kind in kinds)


def _is_group(holder: str) -> bool:
    return holder.startswith("S") and "@" not in holder


def _mention(holder: str) -> str:
    if holder == "*":
        return "every full member"
    if "@" in holder:
        return holder
    return f"<!subteam^{holder}>" if _is_group(holder) else f"<@{holder}>"
