"""Coverage as a picture: every cell by kind and measure, told by colour and by shape. Pure: records in, SVG out.

It is read on phones, where it is some 360 points wide: so it is narrow, its letters are large, and it is hardly ever
longer than two screens. Few components have a row each, with their names; more of them a square a cell, what is not
covered first; and where nobody could see squares any more each kind has its figures. The colours can be told apart by
people who do not see red or green (after Okabe and Ito), the shapes by everybody.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from html import escape

from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.coverage import State
from bot.domain.scope import Criticality, InScope
from bot.procedures.assess_coverage import Picture

WIDTH = 480
MOST_ROWS = 24
MOST_SQUARES = 100  # of a kind
MOST_HEIGHT = 1000
_EDGE, _NAMES, _HEAD, _ROW, _SQUARE, _LINE = 16, 152, 84, 26, 18, 15
_WIDE = WIDTH - _NAMES - _EDGE
_IN_A_LINE = _WIDE // _SQUARE
_LETTERS = 16  # of a name
_NARROWEST = 12  # so that one gap in a hundred thousand is seen
_WORST = (State.GAP, State.UNKNOWN, State.COVERED)
_FILLS = {State.COVERED: "#009e73", State.GAP: "#b3420a", State.UNKNOWN: "#6b7280"}
_WORDS = {State.COVERED: "covered", State.GAP: "gap", State.UNKNOWN: "unknown"}
_MANY = {**_WORDS, State.GAP: "gaps"}
_PALE = "#4b5563"

Tally = Mapping[tuple[Kind, Measure], Mapping[State, int]]
Part = tuple[str, int]
"""Something drawn, and where it ends, from the top."""


def heat_map(picture: Picture) -> str:
    """A whole SVG document. What is excluded now is left out; when it was assessed stands in it, in UTC."""
    kinds = _by_kind(picture)
    number = sum(map(len, kinds.values()))
    tally = _tally(picture, kinds) if picture.entries else picture.run.tally
    drawn, end = "", MOST_HEIGHT + 1
    if 0 < number <= MOST_ROWS:
        drawn, end = _stacked(kinds, lambda kind, y: _rows(picture, kinds[kind], kind, y))
    elif number and max(map(len, kinds.values())) <= MOST_SQUARES:
        drawn, end = _stacked(kinds, lambda kind, y: _squares(picture, kinds[kind], kind, y))
    if end > MOST_HEIGHT:
        there = [kind for kind in Kind if any(of is kind for of, _ in tally)]
        drawn, end = _stacked(there, lambda kind, y: _figures(tally, kind, y))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {end}" width="{WIDTH}" height="{end}"'
        f' role="img" aria-label="Coverage heat map" font-family="DejaVu Sans, Arial, sans-serif" font-size="14"'
        f' fill="#111827">{_SYMBOLS}<rect width="{WIDTH}" height="{end}" fill="#ffffff"/>'
        f"{_heading(picture, tally)}{drawn}</svg>\n"
    )


def _by_kind(picture: Picture) -> dict[Kind, list[InScope]]:
    counting = [one for one in picture.entries if one.counts(picture.now)]
    found = {kind: [one for one in counting if one.component.kind is kind] for kind in Kind}
    return {kind: every for kind, every in found.items() if every}


def _tally(picture: Picture, kinds: Mapping[Kind, Sequence[InScope]]) -> Tally:
    return {
        (kind, measure): Counter(_state(picture, one, measure) for one in every)
        for kind, every in kinds.items()
        for measure in MEASURES[kind]
    }


def _heading(picture: Picture, tally: Tally) -> str:
    counts: Counter[State] = Counter()
    for each in tally.values():
        counts.update(each)
    said = f"{counts[State.COVERED]:,} of {counts.total():,} covered"
    at = f"{picture.run.components:,} components · assessed {picture.run.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    signs, x = "", _EDGE
    for state in reversed(_WORST):
        label = f"{counts[state]:,} {_of(state, counts[state])}"
        signs += f'{_mark(state, x, 58, 16)}<text x="{x + 22}" y="71">{label}</text>'
        x += 22 + 9 * len(label) + 14
    return (
        f'<text x="{_EDGE}" y="28" font-size="20">{said}</text>'
        f'<text x="{_EDGE}" y="47" font-size="12" fill="{_PALE}">{at}</text>{signs}'
    )


def _stacked(kinds: Sequence[Kind] | Mapping[Kind, object], draw: Callable[[Kind, int], Part]) -> Part:
    parts, y = [], _HEAD
    for kind in kinds:
        drawn, y = draw(kind, y)
        parts.append(drawn)
        y += 10
    return "".join(parts), y


def _title(kind: Kind, number: int, y: int) -> str:
    return f'<text x="{_EDGE}" y="{y + 20}" font-size="16">{_told(kind)} ({number:,})</text>'


def _rows(picture: Picture, every: Sequence[InScope], kind: Kind, y: int) -> Part:
    """A row a component, the most critical first."""
    wide = min(_WIDE // len(MEASURES[kind]), 104)
    parts = [_title(kind, len(every), y), _labels(kind, y + 40, wide)]
    y += 44
    order = list(Criticality)
    for one in sorted(every, key=lambda one: (order.index(one.criticality), one.component.name)):
        name = one.component.name
        shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
        parts.append(f'<text x="{_EDGE}" y="{y + 18}">{escape(shown)}</text>')
        for at, measure in enumerate(MEASURES[kind]):
            state = _state(picture, one, measure)
            title = f"{name} {measure}: {_WORDS[state]}"
            parts.append(_mark(state, _NAMES + at * wide, y + 2, _ROW - 4, width=wide - 4, title=title))
        y += _ROW
    return "".join(parts), y


def _squares(picture: Picture, every: Sequence[InScope], kind: Kind, y: int) -> Part:
    parts = [_title(kind, len(every), y)]
    y += 30
    for measure in MEASURES[kind]:
        found = sorted((_WORST.index(_state(picture, one, measure)), one.component.name) for one in every)
        counts = Counter(_WORST[at] for at, _ in found)
        parts.append(f'<text x="{_EDGE}" y="{y + 13}">{_told(measure)}</text>')
        parts += _said(counts, _EDGE, y + 13)
        for at, (worst, name) in enumerate(found):
            state = _WORST[worst]
            x, line = _NAMES + at % _IN_A_LINE * _SQUARE, at // _IN_A_LINE
            title = "" if state is State.COVERED else f"{name} {measure}: {_WORDS[state]}"
            parts.append(_mark(state, x, y + line * _SQUARE, _SQUARE - 2, title=title))
        lines = (len(found) - 1) // _IN_A_LINE + 1
        y += max(lines * _SQUARE, _LINE * (1 + len(_short(counts)))) + 6
    return "".join(parts), y


def _figures(tally: Tally, kind: Kind, y: int) -> Part:
    """A bar a measure, and how many are not covered."""
    counts = {measure: tally.get((kind, measure), {}) for measure in MEASURES[kind]}
    number = max(sum(each.values()) for each in counts.values())
    wide = (WIDTH - 2 * _EDGE) // len(counts)
    parts = [_title(kind, number, y), _labels(kind, y + 40, wide, start=_EDGE)]
    for at, each in enumerate(counts.values()):
        x = _EDGE + at * wide
        parts += [*_bar(each, x, y + 46, wide - 6), *_said(each, x, y + 62)]
    return "".join(parts), y + 66 + _LINE * max(len(_short(each)) for each in counts.values())


def _bar(counts: Mapping[State, int], x: float, y: int, wide: float) -> list[str]:
    whole, there = sum(counts.values()), [state for state in _WORST if counts.get(state)]
    room = wide - _NARROWEST * len(there)
    parts = []
    for state in there:
        width = _NARROWEST + room * counts[state] / whole
        parts.append(_mark(state, x, y, 16, width=width))
        x += width
    return parts


def _said(counts: Mapping[State, int], x: float, y: int) -> list[str]:
    return [
        f'<text x="{x:g}" y="{y + _LINE * at}" font-size="12" fill="{_PALE}">{line}</text>'
        for at, line in enumerate(_short(counts), start=1)
    ]


def _short(counts: Mapping[State, int]) -> list[str]:
    """What is not covered; a number of six digits would not stand beside its neighbours."""
    amounts = [(counts.get(state, 0), state) for state in (State.GAP, State.UNKNOWN)]
    lines = [
        f"{number / 1000:.0f}k {_MANY[state]}" if number >= 10_000 else f"{number:,} {_of(state, number)}"
        for number, state in amounts
        if number
    ]
    return lines or ["all covered"]


def _labels(kind: Kind, y: int, wide: int, start: int = _NAMES) -> str:
    return "".join(
        f'<text x="{start + at * wide}" y="{y}" font-size="12" fill="{_PALE}">{_told(each)}</text>'
        for at, each in enumerate(MEASURES[kind])
    )


def _state(picture: Picture, one: InScope, measure: Measure) -> State:
    out = picture.out.get((one.component.key, measure))
    return out.state if out else State.COVERED


def _mark(state: State, x: float, y: float, size: float, *, width: float = 0, title: str = "") -> str:
    """A box in the state's colour with its shape in the middle: a cross for a gap, a ring for what is unknown."""
    wide = width or size
    box = f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{size:g}" rx="2" fill="{_FILLS[state]}">'
    box += f"<title>{escape(title)}</title></rect>" if title else "</rect>"
    if state is State.COVERED:
        return box
    shape = min(size, wide, 16) - 3
    left, top = x + (wide - shape) / 2, y + (size - shape) / 2
    return f'{box}<use href="#{state.value}" x="{left:g}" y="{top:g}" width="{shape:g}" height="{shape:g}"/>'


def _of(state: State, number: int) -> str:
    return _WORDS[state] if number == 1 else _MANY[state]


def _told(word: str) -> str:
    return str(word).replace("_", " ")


_SYMBOLS = (
    '<symbol id="gap" viewBox="0 0 10 10"><path d="M1 1 9 9 M9 1 1 9" stroke="#fff" stroke-width="2"/></symbol>'
    '<symbol id="unknown" viewBox="0 0 10 10"><circle cx="5" cy="5" r="3.5" fill="none" stroke="#fff"'
    ' stroke-width="2"/></symbol>'
)
