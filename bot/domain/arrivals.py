"""Whether a component reports: which of its metrics arrive, in which tool, and why one does not."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.domain.answers import Known
from bot.domain.component import Identity, Measure
from bot.domain.monitor import MetricReading, Reports
from bot.domain.scope import InScope
from bot.domain.shortfall import Question, Shortfall, Why

_MEASURES = {measure: at for at, measure in enumerate(Measure)}
_STATES = (Reports.NOT_CONFIGURED, Reports.SILENT, Reports.STALE, Reports.REPORTING)
_CODES = {state: code for code, state in enumerate(_STATES)}
_REPORTING = _CODES[Reports.REPORTING]


class Arrivals:
    """Whether metrics arrive. A reading is judged as of when the tool gave it: between two looks nothing gets stale.

    One byte a cell and tool says how the best reading there stands; only those that do not report are kept beside.
    """

    def __init__(
        self,
        counting: Collection[InScope],
        readings: Mapping[str, Known[MetricReading]],
        now: datetime,
        time_to_live: timedelta,
    ) -> None:
        self._known = readings
        self._whole = {name: known.is_whole(now, time_to_live) for name, known in readings.items()}
        self._measuring: set[str] = set()
        self._codes = {name: bytearray(len(counting) * len(_MEASURES)) for name in readings}
        self._failing: dict[tuple[str, int], MetricReading] = {}
        self._seers: dict[frozenset[str], tuple[str, ...]] = {}
        self._shortfalls: dict[Hashable, Shortfall] = {}
        whose = {name: at for at, item in enumerate(counting) for name in item.component.identities}
        for name, known in readings.items():
            self._take(name, known.items(now, time_to_live), whose)

    @staticmethod
    def place(at: int, measure: Measure) -> int:
        """Where a cell's byte stands."""
        return at * len(_MEASURES) + _MEASURES[measure]

    def _take(
        self, name: str, told: Iterable[tuple[datetime, MetricReading]], whose: Mapping[Identity, int]
    ) -> None:
        codes, width = self._codes[name], len(_MEASURES)
        for as_of, reading in told:
            self._measuring.add(name)
            at = whose.get(reading.identity)
            if at is None:
                continue
            place, code = at * width + _MEASURES[reading.measure], _CODES[reading.state(as_of)]
            if code > codes[place]:
                codes[place] = code
                if code != _REPORTING:
                    self._failing[name, place] = reading

    def seers(self, sources: frozenset[str]) -> tuple[str, ...]:
        """The tools that could know the component: those that see it; of one that nobody sees, all."""
        found = self._seers.get(sources)
        if found is None:
            found = tuple(name for name in self._known if name in sources) or tuple(self._known)
            self._seers[sources] = found
        return found

    def verdict(
        self, place: int, seers: tuple[str, ...], measure: Measure
    ) -> tuple[Reports, str, Shortfall | None]:
        best, provider = 0, ""
        for name, codes in self._codes.items():
            if codes[place] > best:
                best, provider = codes[place], name
        if best == _REPORTING:
            return Reports.REPORTING, provider, None
        if silent := tuple(name for name in seers if not self._whole[name]):
            return Reports.UNKNOWN, "", self._shared(silent, measure)
        if provider:
            state = _STATES[best]
            return state, provider, _not_arriving(state, provider, self._failing[provider, place])
        return Reports.NOT_CONFIGURED, "", self._not_configured(seers, measure)

    def arrives(self, place: int, provider: str) -> bool | None:
        """Whether this tool gets the metric, so that its monitors can fire; None when nobody can tell.

        A tool that measures nothing itself (Prometheus' rules) is taken at its word.
        """
        codes = self._codes.get(provider)
        if codes is None or codes[place] == _REPORTING:
            return True
        if codes[place]:
            return False
        if not self._whole[provider]:
            return None
        return provider not in self._measuring

    def why_untold(self, *names: str) -> str:
        """What each of these tools did not say, and why."""
        return " ".join(
            f"{name}: {self._known[name].reason or 'Its last answer is too old.'}" for name in names
        )

    def _shared(self, silent: tuple[str, ...], measure: Measure) -> Shortfall:
        if (silent, measure) not in self._shortfalls:
            why = self.why_untold(*silent)
            self._shortfalls[silent, measure] = Shortfall(
                question=Question.REPORTS,
                why=Why.NO_ANSWER,
                says=f"Nobody can tell whether its {measure} reports, since not every tool has answered. {why}",
                mend="Mend the connection to the tool; `socmon doctor` tests it.",
            )
        return self._shortfalls[silent, measure]

    def _not_configured(self, seers: tuple[str, ...], measure: Measure) -> Shortfall:
        if ("none", seers, measure) not in self._shortfalls:
            self._shortfalls["none", seers, measure] = Shortfall(
                question=Question.REPORTS,
                why=Why.NOT_CONFIGURED,
                says=f"No tool collects its {measure} (asked: {', '.join(seers) or 'none is connected'}).",
                mend="Turn the metric on in the agent or the integration of one of the tools.",
            )
        return self._shortfalls["none", seers, measure]


def _not_arriving(state: Reports, provider: str, reading: MetricReading) -> Shortfall:
    if state is Reports.STALE and reading.last_at is not None:
        says = (
            f"The last value of {reading.metric} in {provider} is of {reading.last_at.astimezone(UTC):%Y-%m-%d %H:%M}"
            f" UTC, older than two intervals of {reading.interval / timedelta(minutes=1):g} min."
        )
    else:
        says = f"{provider} knows {reading.metric} of it, and has no value."
    return Shortfall(
        question=Question.REPORTS,
        why=Why.STALE if state is Reports.STALE else Why.SILENT,
        says=says,
        mend="See that it runs, and that its agent or exporter does.",
    )


class Signal(NamedTuple):
    """What is known of one cell's metric: where its bytes stand, and which tools could know it."""

    place: int
    seers: tuple[str, ...]
    arrivals: Arrivals
    reports: bool
