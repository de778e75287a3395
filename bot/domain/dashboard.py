"""What a dashboard is, a picture of it, and when such a picture is believed. Pure: what a file shows is told to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.errors import SocmonError
from bot.domain.evidence import timestamp

MOST_CHOSEN = 20
"""Dashboards that are captured each week: all of them within the time that a job has."""
MOST_BYTES = 8 * 1024 * 1024
MOST_SIDE, LEAST_SIDE = 6000, 60  # pixels
BLANK = 998
"""So many of a thousand pixels of one colour: nothing is drawn there. Axes and a title alone take more."""
PAGE = "page"
"""The provider of dashboards that are known by an address only, and looked at in a browser."""


class Trouble(StrEnum):
    """Why a picture is not believed."""

    BLANK = "blank"
    LOGIN = "login page"
    MISSING = "not found"
    STALE = "stale"
    HALF_LOADED = "half-loaded"
    HUGE = "too large"
    TIMED_OUT = "timed out"
    WRONG_ACCOUNT = "wrong account"
    NO_PICTURE = "no picture"
    SILENT = "no answer"


class Review(StrEnum):
    """What a person said of a picture."""

    NOTHING_UNUSUAL = "nothing unusual"
    FOLLOW_UP = "follow up"


class Uncaptured(SocmonError):
    """There is no picture that could be believed. `says` is what and why, `mend` what to do; sentences."""

    def __init__(self, trouble: Trouble, says: str, mend: str) -> None:
        super().__init__(f"{says} {mend}")
        self.trouble, self.says, self.mend = trouble, says, mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """`id` is the tool's own name for it. `account` is where it lies, "" while nobody knows."""

    provider: str
    id: str
    title: str
    url: str = ""
    account: str = ""
    modified_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A dashboard that is looked at each week, on whose word. `by` is a Slack user id, or "configuration"."""

    dashboard: Dashboard
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a dashboard: as the tool drew it (PNG or JPEG), or in `lines` what it has no picture of."""

    title: str
    picture: bytes = b""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What a tool gave, and what its API said at the same moment.

    `newest_at` is the time of the newest value that is drawn; with `tells_age` None means that there is none, else that
    the tool cannot be asked. `shows` are names of what is drawn, in the tool's words ("web-1", "i-0abc").
    """

    panels: tuple[Panel, ...]
    account: str
    start: datetime
    end: datetime
    newest_at: datetime | None = None
    tells_age: bool = True
    shows: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """What a picture file shows: its sides, and how many of a thousand pixels have the commonest colour."""

    width: int
    height: int
    commonest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a picture is believed. `name_like` is a regular expression that a production dashboard's title matches."""

    name_like: str
    stale_after: timedelta
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What came of one capture: a picture by its digest, or the trouble. `id` is 0 before it is stored.

    `components` are names of what is in scope and shown. `shown_at` is when people were shown it.
    """

    id: int = 0
    dashboard: Dashboard
    at: datetime
    start: datetime
    end: datetime
    picture: str = ""
    size: int = 0
    newest_at: datetime | None = None
    components: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    trouble: Trouble | None = None
    says: str = ""
    mend: str = ""
    shown_at: datetime | None = None
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    review: Review | None = None

    @property
    def is_kept(self) -> bool:
        return self.trouble is None


def check_size(size: int) -> None:
    """Raises Uncaptured."""
    if size > MOST_BYTES:
        raise Uncaptured(
            Trouble.HUGE,
            f"The picture has {size:,} bytes or more, and {MOST_BYTES:,} are the most.",
            "Make the dashboard smaller, or choose parts of it.",
        )


def check_pixels(pixels: Pixels) -> None:
    """Raises Uncaptured."""
    sides = f"{pixels.width:,} × {pixels.height:,} pixels"
    if max(pixels.width, pixels.height) > MOST_SIDE:
        raise Uncaptured(
            Trouble.HUGE,
            f"The picture has {sides}, and {MOST_SIDE:,} a side are the most.",
            "Make the dashboard smaller, or choose parts of it.",
        )
    if min(pixels.width, pixels.height) < LEAST_SIDE:
        raise Uncaptured(
            Trouble.NO_PICTURE,
            f"The picture has only {sides}: that is a placeholder.",
            "Open the dashboard in the tool, and see whether it draws.",
        )
    if pixels.commonest >= BLANK:
        raise Uncaptured(
            Trouble.BLANK,
            f"The picture is blank: {pixels.commonest / 10:g} % of it has one colour.",
            "Open the dashboard in the tool; see whether it draws, and whether its queries find anything.",
        )


def check_captured(dashboard: Dashboard, got: Captured, rules: Rules, now: datetime) -> None:
    """Whether what the tool said goes with its picture. Raises Uncaptured."""
    if dashboard.account and got.account != dashboard.account:
        raise Uncaptured(
            Trouble.WRONG_ACCOUNT,
            f"The picture is from {got.account or 'an unknown account'}, and not from {dashboard.account}.",
            "Check the credentials that socmon uses, or choose the dashboard anew in this account.",
        )
    if not any(panel.picture or panel.lines for panel in got.panels):
        raise Uncaptured(Trouble.BLANK, "The dashboard has nothing on it.", "Fill it, or choose another one.")
    if got.tells_age and (got.newest_at is None or now - got.newest_at > rules.stale_after):
        newest = f"The newest value on it is of {timestamp(got.newest_at)}" if got.newest_at else ""
        minutes = int(rules.stale_after.total_seconds() // 60)
        raise Uncaptured(
            Trouble.STALE,
            f"{newest}, over {minutes} minutes before the picture."
            if newest
            else "The tool has no value for anything that is drawn on it.",
            "See why the data stopped, or mend the dashboard's queries.",
        )


def warnings_of(dashboard: Dashboard, got: Captured, rules: Rules) -> tuple[str, ...]:
    """What does not refute the picture, and should be known by whoever looks at it."""
    found = list(got.warnings)
    if not re.search(rules.name_like, dashboard.title, re.IGNORECASE):
        found.append(f"Its name does not say that it is about production (/{rules.name_like}/i).")
    if not got.tells_age:
        found.append("Nobody can say how fresh its data is: the tool was not asked beside the picture.")
    return tuple(found)


def newest_of(times: Sequence[datetime | None]) -> datetime | None:
    return max((at for at in times if at), default=None)
