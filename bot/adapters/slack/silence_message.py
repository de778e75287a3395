"""What the alerts channel is told of sources that are silent: who is on call has to know that alerts may be missing."""

from collections.abc import Sequence

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import context, sections
from bot.adapters.slack.text import mention, own_words

MOST_MENTIONS = 5
MOST_LISTED = 10


def silence_message(said: Sequence[str], *, on_call: Sequence[str]) -> Message:
    """`said` has a few sentences of each source."""
    title = "A source is silent" if len(said) == 1 else f"{len(said)} sources are silent"
    called = " ".join(mention(name) for name in on_call[:MOST_MENTIONS])
    lines = [f":rotating_light: *{title}: alerts may be missing* {called}".rstrip()]
    lines += [own_words(one) for one in said[:MOST_LISTED]]
    if len(said) > MOST_LISTED:
        lines.append(f"… and {len(said) - MOST_LISTED} more")
    small = "This is no alert of a monitor. It is on record; `/socmon status` shows when the source is heard again."
    return Message(text=f"{title}: alerts may be missing", blocks=[*sections(lines), context(small)])
