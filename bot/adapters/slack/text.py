"""Words from outside on their way into Slack: they may be read there, and do nothing else.

Whoever can make a monitoring tool speak can choose an alert's words. Three defences, so that no words can
mention, link or format: `slack_text` escapes what Slack parses (& < >) and puts look-alikes where characters
could format or name an emoji; text objects are `plain_text` where the words stand alone and `verbatim`
elsewhere, so that Slack makes no links of its own (see `elements`); and mentions, links and dates come from
the functions below only.

Never put a colon directly behind the result of `slack_text`: together they could name an emoji.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from html import unescape
from unicodedata import category
from urllib.parse import urlsplit

LONGEST_LINK = 1200
_MOST_READ = 20_000  # characters of outside text looked at: no limit in Slack is near it
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# Bidi overrides, zero-width, control, lone surrogates, private, unassigned; then invisible "letters".
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BREAKS = frozenset("\n\r\v\f\x85\u2028\u2029")

# An underscore inside a word never formats, so prod_db_1 can still be copied; nor does the colon of a time.
_FORMATTING = re.compile(
    r"[*~`]|(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])|:(?!\d{1,2}:)(?=[^\s:]+:)|^[ ]*>", re.MULTILINE
)
_LOOK_ALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ", "_": "ˍ", ":": "∶", ">": "›"})

_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")
_MENTION = re.compile(r"<@[UW][A-Z0-9]{1,30}>|<!subteam\^S[A-Z0-9]{1,30}>|<#[CG][A-Z0-9]{1,30}>")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*")
_MARKUP = re.compile(r"<([^<>]*)>")


class DateForm(StrEnum):
    """How Slack writes a time, in each reader's own time zone."""

    TIME = "{time}"
    DAY = "{date_short_pretty} {time}"


def slack_text(text: str, most: int, *, lines: bool = False) -> str:
    """Outside text for a mrkdwn object: inert, and at most `most` characters long after escaping.

    All white space becomes one space, or with `lines` keeps its line breaks.
    """
    return _escaped(_FORMATTING.sub(_look_alike, clean(text, lines=lines)), most)


def plain_text(text: str, most: int, *, lines: bool = False) -> str:
    """Outside text for a plain_text object. Nothing is parsed there, yet no mention stands there either."""
    return _cut(re.sub("<(?=[!@#])", "‹", clean(text, lines=lines)), most)


def own_words(message: str) -> str:
    """A message of socmon's as mrkdwn: it may mention people and channels, and quote what somebody typed."""
    parts, at = [], 0
    message = _cut(clean(message, lines=True), 560)  # at most 2,800 characters when every one is escaped
    for found in _MENTION.finditer(message):
        parts += [_entities(message[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, _entities(message[at:])])


def link(url: str, label: str) -> str:
    """A link; only its label if the address is not plain http(s), could break out, or hides its host."""
    shown = slack_text(label, 100)
    if not _URL.fullmatch(url) or set(url) & set("|<>\\`"):
        return shown
    target = url.replace("&", "&amp;")
    if len(target) > LONGEST_LINK or not _shows_its_host(url):
        return shown
    return f"<{target}|{shown}>"


def _shows_its_host(url: str) -> bool:
    try:
        return "@" not in urlsplit(url).netloc
    except ValueError:  # "https://[evil": no address at all
        return False


def mention(name: str) -> str:
    """A mention of a Slack user (U…, W…) or user group (S…); anything else is shown as text."""
    if _USER.fullmatch(name):
        return f"<@{name}>"
    if _GROUP.fullmatch(name):
        return f"<!subteam^{name}>"
    return slack_text(name, 80).replace(":", "∶")  # our sentences may go on with a colon


def date(at: datetime, form: DateForm = DateForm.DAY) -> str:
    """A time that each reader sees in their own time zone; UTC where Slack cannot."""
    return f"<!date^{int(at.timestamp())}^{form}|{utc(at)}>"


def utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def plain_words(message: str) -> str:
    """What a Slack message says, without Slack's markup, for a form whose text is kept as evidence."""
    return unescape(_MARKUP.sub(_spoken, message))


def clean(text: str, *, lines: bool = False) -> str:
    """The text without characters that hide, reorder or break; white space collapsed."""
    shown = "".join("\n" if c in _BREAKS else c for c in text[:_MOST_READ].replace("\t", " ") if _is_shown(c))
    if not lines:
        return " ".join(shown.split())
    tidy = "\n".join(" ".join(line.split()) for line in shown.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", tidy).strip()


def _is_shown(character: str) -> bool:
    if character in _BREAKS:
        return True
    return character not in _HIDDEN and category(character) not in _HIDDEN_CATEGORIES


def _look_alike(found: re.Match[str]) -> str:
    return found[0].translate(_LOOK_ALIKES)


def _entities(text: str) -> str:
    return "".join(_ENTITIES.get(c, c) for c in text)


def _escaped(text: str, most: int) -> str:
    """Escape, then cut between whole characters, so that no entity is torn."""
    pieces = [_ENTITIES.get(c, c) for c in text]
    if sum(map(len, pieces)) <= most:
        return "".join(pieces)
    kept, size = [], 1
    for piece in pieces:
        size += len(piece)
        if size > most:
            break
        kept.append(piece)
    return "".join(kept).rstrip(" _") + "…"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _spoken(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if target[:1] in {"@", "#"}:
        return target[0] + (label.lstrip("@#") or target[1:])
    if target.startswith("!"):
        return label or "@" + target[1:].rpartition("^")[2]
    address = target.removeprefix("mailto:")
    return address if label in {"", address} else f"{label} ({address})"
