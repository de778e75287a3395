"""Whether the sources are still heard.

A heartbeat that stops, or a tool that is silent for longer than is normal, is an alarm of its own: on record, once.
What socmon could not hear while it was down accuses nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Change, Reported
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.heartbeat import Pulse, Watch, spoken
from bot.domain.validation import Finding, Section, Verdict
from bot.ports import Records

KIND = "silent:"


def hear_heartbeat(records: Records, provider: str, reported: Reported) -> None:
    """A heartbeat beats, or its tool says that it is over. It counts as such, and is no alert."""
    at = records.now
    pulse = records.pulse(provider, reported.dedup_key) or Pulse(
        provider=provider, key=reported.dedup_key, first_at=at
    )
    pulse = replace(pulse, name=reported.title)
    over = reported.change is Change.RECOVERED
    records.save_pulse(
        pulse.ended(at) if over else pulse.beat(at, listening_since=still_here(records).listening_since)
    )
    records.count(provider, "heartbeat", "ended" if over else "heard")


def still_here(records: Records) -> Watch:
    """As it was kept; from now on, at the very first look."""
    return records.watch() or Watch(listening_since=records.now, looked_at=records.now)


def keep_listening(records: Records) -> Watch:
    """Note that socmon listens; after it did not for a while, everybody's silence begins anew."""
    watch = still_here(records).still_here(records.now)
    records.save_watch(watch)
    return watch


def watch_sources(records: Records, expected: Mapping[str, int | None]) -> None:
    """Look at every source. `expected`: connected provider → how many minutes it may be silent, if that is set."""
    since = keep_listening(records).listening_since
    known = {(one.provider, one.key): one for one in records.pulses()}
    for (provider, key), pulse in list(known.items()):
        if provider not in expected:
            records.drop_pulse(provider, key)
            del known[provider, key]
        elif pulse.is_retired(records.now):
            records.drop_pulse(provider, key)
            del known[provider, key]
            _log(records, pulse, "source.retired")
    beating = {provider for provider, key in known if key}
    for provider in expected:
        if provider not in beating:
            known.setdefault((provider, ""), Pulse(provider=provider, first_at=records.now))
        elif (provider, "") in known:  # its heartbeats say more
            records.drop_pulse(provider, "")
            del known[provider, ""]
    for pulse in known.values():
        _look(records, pulse, expected[pulse.provider], since)


def _look(records: Records, before: Pulse, minutes: int | None, since: datetime) -> None:
    pulse = replace(before, minutes=minutes)
    if not pulse.key and (heard := records.last_heard(pulse.provider)[0]):
        pulse = pulse.beat(heard, listening_since=since)
    pulse = pulse.looked_at(records.now, listening_since=since)
    if pulse.silent_at and not before.silent_at:
        _log(records, pulse, "source.silent")
    elif before.silent_at and not pulse.silent_at:
        _log(records, pulse, "source.heard_again", silent_since=timestamp(before.silent_at))
    if pulse != before or records.pulse(pulse.provider, pulse.key) is None:
        records.save_pulse(pulse)


def silent_sources(records: Records) -> list[Pulse]:
    """Those that are silent, the longest first."""
    return sorted((one for one in records.pulses() if one.silent_at), key=lambda one: str(one.silent_at))


def told(records: Records, pulses: Sequence[Pulse]) -> None:
    """Slack was told that these are silent."""
    for pulse in pulses:
        now = records.pulse(pulse.provider, pulse.key)
        if now and now.silent_at == pulse.silent_at:
            records.save_pulse(replace(now, told_at=records.now))


def subject(pulse: Pulse) -> str:
    """What the trouble is called where operators see it."""
    return f"{KIND}{pulse.provider}{':' if pulse.key else ''}{pulse.key}"


def says(pulse: Pulse, title: str) -> str:
    """What is wrong, why, and what to do."""
    heard = f"since {pulse.heard_at:%Y-%m-%d %H:%M} UTC" if pulse.heard_at else "at any time"
    if pulse.ended_at:
        return (
            f"{title} says that its heartbeat {pulse.name} is over ({pulse.ended_at:%Y-%m-%d %H:%M} UTC). It fires as"
            " long as the monitoring works, so from now on no alert may come from there. See whether Prometheus runs,"
            f" evaluates its rules and reaches {title}."
        )
    what = f"the heartbeat {pulse.name} of {title}" if pulse.key else title
    allowed = f" ({spoken(pulse.allowed)} is normal)" if pulse.allowed else ""
    return (
        f"Nothing was heard from {what} {heard}{allowed}. Alerts from there may not arrive. See whether it runs and"
        " reaches socmon; `socmon doctor` tests the way. What is normal can be set as heartbeat_minutes under"
        f" [providers.{pulse.provider}]."
    )


def sources(records: Records, _period: object = None) -> Section:
    """The weekly validation's word on it."""
    pulses = records.pulses()
    silent = [one for one in pulses if one.silent_at]
    untold = [one for one in pulses if not one.silent_at and one.allowed is None]
    findings = tuple(
        Finding(
            id=f"sources:{subject(one)}",
            says=says(one, one.provider),
            mend="Mend the way from the tool to socmon; it is closed when the source is heard again.",
        )
        for one in silent
    )
    verdict = Verdict.BAD if silent else Verdict.WARNING if untold or not pulses else Verdict.GOOD
    line = f"{len(pulses) - len(silent)} of {len(pulses)} sources are heard as usual"
    if untold:
        line += f"; of {len(untold)} it is not known yet how long silence is normal"
    facts: dict[str, Fact] = {"sources": len(pulses), "silent": len(silent), "not_judged": len(untold)}
    return Section(name="sources", verdict=verdict, says=f"{line}.", findings=findings, facts=facts)


def _log(records: Records, pulse: Pulse, kind: str, **facts: str) -> None:
    known: dict[str, Fact] = dict(facts)
    if pulse.heard_at:
        known["heard_at"] = timestamp(pulse.heard_at)
    if pulse.allowed is not None:
        known["allowed_seconds"] = int(pulse.allowed / timedelta(seconds=1))
    if pulse.ended_at:
        known["ended_at"] = timestamp(pulse.ended_at)
    records.log(
        Entry(
            type=kind,
            actor=Actor(kind="system"),
            subject={"source": pulse.provider} | ({"heartbeat": pulse.key} if pulse.key else {}),
            facts=known,
            private={"name": pulse.name} if pulse.name else {},
        )
    )
