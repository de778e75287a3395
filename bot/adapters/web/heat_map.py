"""Coverage as a picture: every cell by kind and measure, told by colour and by shape. Pure: records in, SVG out.

Few components of a kind have a row each, with their names; more of them a square a cell, what is not covered first; and
where nobody could see squares any more there is a bar with its figures.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.coverage import State
from bot.domain.scope import InScope

MOST_ROWS = 40
MOST_SQUARES = 1000
WIDTH = 960
_CELL, _SQUARE, _ROW, _NAMES = 92, 11, 18, 290
_IN_A_LINE = (WIDTH - _NAMES - 20) // _SQUARE
_WORST = (State.GAP, State.UNKNOWN, State.COVERED)
_FILLS = {State.COVERED: "#2e9e6b", State.GAP: "#c8322b", State.UNKNOWN: "#8a8f98"}
_WORDS = {State.COVERED: "covered", State.GAP: "gap", State.UNKNOWN: "unknown"}

Out = Mapping[tuple[str, Measure], State]
"""What is not covered, by key of the component and measure."""


def heat_map(entries: Sequence[InScope], out: Out, *, assessed_at: datetime, now: datetime) -> str:
    """A whole SVG document. What is excluded now is left out; `assessed_at` stands in it, in UTC."""
    counting = [one for one in entries if one.counts(now)]
    parts, y = [_legend(assessed_at, len(counting))], 66
    for kind in Kind:
        of_kind = sorted(
            (one for one in counting if one.component.kind is kind), key=lambda one: one.component.name
        )
        if of_kind:
            drawn, y = _kind(kind, of_kind, out, y)
            parts.append(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" width="{WIDTH}" height="{y + 10}"'
        f' role="img" aria-label="Coverage heat map" font-family="DejaVu Sans, Arial, sans-serif" font-size="12">'
        f"{_SYMBOLS}"
        f'<rect width="{WIDTH}" height="{y + 10}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _legend(assessed_at: datetime, components: int) -> str:
    said = f"{components:,} components, as assessed {assessed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    signs = "".join(
        f'{_mark(state, 20 + at * 110, 40, 14)}<text x="{40 + at * 110}" y="52">{_WORDS[state]}</text>'
        for at, state in enumerate(reversed(_WORST))
    )
    head = '<text x="20" y="26" font-size="16" font-weight="bold">Coverage</text>'
    return f'{head}<text x="110" y="26">{said}</text>{signs}'


def _kind(kind: Kind, every: Sequence[InScope], out: Out, y: int) -> tuple[str, int]:
    title = f"{_told(kind)} ({len(every):,})"
    head = f'<text x="20" y="{y + 22}" font-size="14" font-weight="bold">{title}</text>'
    if len(every) <= MOST_ROWS:
        drawn, end = _rows(kind, every, out, y + 30)
    elif len(every) <= MOST_SQUARES:
        drawn, end = _squares(kind, every, out, y + 30)
    else:
        drawn, end = _bars(kind, every, out, y + 30)
    return head + drawn, end + 10


def _rows(kind: Kind, every: Sequence[InScope], out: Out, y: int) -> tuple[str, int]:
    parts = [
        f'<text x="{_NAMES + at * _CELL + _CELL // 2}" y="{y + 12}" text-anchor="middle" fill="#555">'
        f"{_told(each)}</text>"
        for at, each in enumerate(MEASURES[kind])
    ]
    for one in every:
        y += _ROW
        name = one.component.name
        shown = name if len(name) <= 34 else f"{name[:33]}…"
        parts.append(f'<text x="20" y="{y + 13}">{escape(shown)}</text>')
        for at, measure in enumerate(MEASURES[kind]):
            state = _state(one, measure, out)
            x = _NAMES + at * _CELL + 2
            parts.append(
                _mark(state, x, y + 2, _ROW - 4, width=_CELL - 4, title=f"{name} {measure}: {_WORDS[state]}")
            )
    return "".join(parts), y + _ROW


def _squares(kind: Kind, every: Sequence[InScope], out: Out, y: int) -> tuple[str, int]:
    parts = []
    for measure in MEASURES[kind]:
        found = sorted((_WORST.index(_state(one, measure, out)), one.component.name) for one in every)
        parts.append(_label(measure, [state for state, _ in found], y))
        for at, (state, name) in enumerate(found):
            x, line = _NAMES + at % _IN_A_LINE * _SQUARE, at // _IN_A_LINE
            title = "" if _WORST[state] is State.COVERED else f"{name} {measure}: {_WORDS[_WORST[state]]}"
            parts.append(_mark(_WORST[state], x, y + line * _SQUARE, _SQUARE - 1, title=title))
        y += max(((len(found) - 1) // _IN_A_LINE + 1) * _SQUARE, 2 * _ROW) + 6
    return "".join(parts), y


def _bars(kind: Kind, every: Sequence[InScope], out: Out, y: int) -> tuple[str, int]:
    parts = []
    for measure in MEASURES[kind]:
        found = [_WORST.index(_state(one, measure, out)) for one in every]
        parts.append(_label(measure, found, y))
        x, whole = float(_NAMES), WIDTH - _NAMES - 20
        for at, state in enumerate(_WORST):
            if number := found.count(at):
                # Never too thin to be seen: one gap in a hundred thousand is a gap.
                wide = max(whole * number / len(found), 14)
                parts.append(_mark(state, x, y + 4, 20, width=min(wide, _NAMES + whole - x)))
                x += wide
        y += 2 * _ROW + 4
    return "".join(parts), y


def _label(measure: Measure, found: Sequence[int], y: int) -> str:
    counts = [(state, found.count(at)) for at, state in enumerate(_WORST)]
    said = ", ".join(f"{number:,} {_WORDS[state]}" for state, number in counts if number)
    return (
        f'<text x="20" y="{y + 10}" fill="#555">{_told(measure)}</text>'
        f'<text x="20" y="{y + 25}" font-size="11" fill="#555">{said}</text>'
    )


def _state(one: InScope, measure: Measure, out: Out) -> State:
    return out.get((one.component.key, measure), State.COVERED)


def _mark(state: State, x: float, y: float, size: float, *, width: float = 0, title: str = "") -> str:
    """A box in the state's colour with its shape in the middle: a cross for a gap, a ring for what is unknown."""
    wide = width or size
    box = f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{size:g}" rx="2" fill="{_FILLS[state]}">'
    box += f"<title>{escape(title)}</title></rect>" if title else "</rect>"
    if state is State.COVERED:
        return box
    shape = min(size, 14) - 2
    left, top = x + (wide - shape) / 2, y + (size - shape) / 2
    return f'{box}<use href="#{state.value}" x="{left:g}" y="{top:g}" width="{shape:g}" height="{shape:g}"/>'


def _told(word: str) -> str:
    return str(word).replace("_", " ")


_SYMBOLS = (
    '<symbol id="gap" viewBox="0 0 10 10"><path d="M1 1 9 9 M9 1 1 9" stroke="#fff" stroke-width="2"/></symbol>'
    '<symbol id="unknown" viewBox="0 0 10 10"><circle cx="5" cy="5" r="3.5" fill="none" stroke="#fff"'
    ' stroke-width="2"/></symbol>'
)
