"""Publishes App Home: when it is opened, after its owner's acts, and for what others did, to those who look at it.

Before a publication the person's row is leased, and afterwards it tells what they see. So replicas do not do the same
work, and a crash, a refusal or two publications at once leave “nobody knows”, which is published anew at the next look.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from prometheus_client import Counter

from bot.adapters.slack.directory import Directory
from bot.adapters.slack.home import digest, home_view, refused_home
from bot.adapters.slack.views import View
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.domain.errors import NotPermitted, SocmonError, Unidentified
from bot.domain.home import SeenHome
from bot.domain.person import READERS, Person
from bot.ports import Clock, Randomness, RecordKeeper
from bot.procedures import show_home
from bot.procedures.show_home import Groups, Installation

log = logging.getLogger(__name__)

MOST_AT_ONCE = 20  # in one look, every 15 s: Slack takes some 100 a minute, and people's own acts come first
PAGE = 10  # people whose Homes are made in one read: a longer one would hold up the writer
REFUSED_SECONDS = 60.0

PUBLISHED = Counter(
    "socmon_homes_published_total", "App Homes by why they were published and result", ["why", "result"]
)


class Homes:
    """`titles` are the providers' names, `installation` what Home has to know of the configuration.

    `groups` tells who is in the user groups that alerts may call.
    """

    def __init__(
        self,
        *,
        records: RecordKeeper,
        web: SlackWeb,
        directory: Directory,
        clock: Clock,
        randomness: Randomness,
        titles: Mapping[str, str],
        installation: Installation,
        groups: Callable[[], Awaitable[Groups]],
    ) -> None:
        self._records, self._web, self._directory = records, web, directory
        self._clock, self._randomness = clock, randomness
        self._titles, self._installation, self._groups = titles, installation, groups
        self._retry_at = self._next_look = clock.monotonic()  # the first is Slack's word, for everybody
        self._looked = (0, 0)

    async def opened(self, user: str, team: str) -> None:
        """They look at it: publish it, and keep it in step from now on. Never raises for Slack's sake."""
        lease = self._lease()
        try:
            person = await self._directory.person(user, team)
            await self._records.write(show_home.open_home, by=person, lease=lease)
        except SocmonError as error:
            await self._publish(user, refused_home(str(error)), why="opened")
            return
        await self._show(person, lease, why="opened")

    async def acted(self, user: str, team: str) -> None:
        """What they did may have changed what waits for them. Nothing happens unless they look at it. Never raises."""
        lease = self._lease()
        try:
            if await self._records.write(show_home.take_home, user, lease=lease, own_act=True):
                await self._show(await self._directory.person(user, team), lease, why="own act")
        except SocmonError as error:
            log.warning("the Home of %s does not follow what they did yet: %s", user, error)

    async def follow(self) -> int:
        """What others did, and time: publish to whom it shows something new. Returns to how many.

        Never more than Slack takes; the rest, and what Slack has refused, is for a later look.
        """
        reached = await self._records.read(show_home.how_far)
        if reached == self._looked or not self._may_follow():
            return 0
        seen = await self._records.read(show_home.homes_seen)
        due = [one for one in seen if one.is_due]
        published, all_show_it = 0, len(due) == len(seen)
        for start in range(0, len(due), PAGE):
            behind = await self._behind(due[start : start + PAGE])
            all_show_it &= not behind
            for person in behind:
                if published < MOST_AT_ONCE and self._may_follow():
                    published += await self._follow(person)
            if published == MOST_AT_ONCE or not self._may_follow():
                return published
        if all_show_it:
            self._looked = reached
        return published

    async def _behind(self, seen: Sequence[SeenHome]) -> list[Person]:
        """Those of them whose Home would show something new."""
        shown, people = {one.user: one.shown for one in seen}, []
        try:
            for one in seen:
                person = await self._directory.member(one.user)
                if person.roles & READERS:
                    people.append(person)
                else:
                    await self._close(person)
        except Unidentified as error:
            self._next_look = self._clock.monotonic() + REFUSED_SECONDS
            log.warning("App Homes wait: %s", error)
            return []
        views = await self._views(people)
        return [one for one, view in zip(people, views, strict=True) if digest(view) != shown[one.user]]

    def _may_follow(self) -> bool:
        return self._clock.monotonic() >= max(self._retry_at, self._next_look)

    async def _follow(self, person: Person) -> bool:
        lease = self._lease()
        taken = await self._records.write(show_home.take_home, person.user, lease=lease, own_act=False)
        return taken and await self._show(person, lease, why="others")

    async def _close(self, person: Person) -> None:
        """Their last view must not stay when they may not see it any more."""
        try:
            person.require(READERS, show_home.SEE)
        except NotPermitted as error:
            told = await self._publish(person.user, refused_home(str(error)), why="others")
            if told or not person.is_member:
                await self._records.write(show_home.close_home, person.user)

    async def _show(self, person: Person, lease: str, *, why: str) -> bool:
        try:
            [view] = await self._views([person])
        except SocmonError as error:
            view = refused_home(str(error))
        done = await self._publish(person.user, view, why=why)
        try:
            await self._records.write(
                show_home.home_shown, person.user, digest(view) if done else "", lease=lease
            )
        except SocmonError as error:
            log.warning(
                "what the Home of %s shows was not recorded, so it is published anew: %s", person.user, error
            )
        return done

    async def _views(self, people: list[Person]) -> list[View]:
        groups = await self._groups()
        homes = await self._records.read(show_home.homes, people, self._installation, groups)
        return [home_view(home, titles=self._titles) for home in homes]

    async def _publish(self, user: str, view: View, *, why: str) -> bool:
        """Whether Slack has taken it. A Home that lags is no fault of what was done."""
        now = self._clock.monotonic()
        if now < self._retry_at:
            PUBLISHED.labels(why, "waits").inc()
            return False
        try:
            await self._web.publish_home(user, view)
        except RateLimited as error:
            self._retry_at = now + max(error.seconds, 1.0)
            result, trouble = "429", str(error)
        except SlackSaysNo as error:
            self._next_look = now + REFUSED_SECONDS
            result, trouble = error.error, str(error)
        except NoAnswer as error:
            self._next_look = now + REFUSED_SECONDS
            result, trouble = "no answer", str(error)
        else:
            PUBLISHED.labels(why, "ok").inc()
            return True
        PUBLISHED.labels(why, result).inc()
        log.warning("the Home of %s could not be published: %s", user, trouble)
        return False

    def _lease(self) -> str:
        return self._randomness.token(8).hex()
