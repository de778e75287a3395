"""The monitoring tools of the playground: genuine, signed deliveries sent to the bot's webhooks."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Any

import aiohttp

from bot.playground.errors import SlackError
from bot.providers.contract import Sample, SampleKind, Samples

STORM = 50
STORM_CONCURRENCY = 8
FLAPS = 3
PATIENCE = 15.0
_SECRET_HEADER = re.compile(r"signature|secret|token|authorization|api-?key", re.IGNORECASE)
_CREDENTIAL = re.compile(r"(?P<scheme>[A-Za-z0-9-]+[= ](?=.))?(?P<rest>.+)")
_NEXT = str.maketrans("0123456789abcdefABCDEF", "1234567890bcdefaBCDEFA")


class Action(StrEnum):
    """What a person can make a tool do."""

    TRIGGER = "trigger"
    REPEAT = "repeat"
    RECOVER = "recover"
    FLAP = "flap"
    STORM = "storm"
    TEST = "test"
    NO_DATA = "no_data"
    FORGED = "forged"
    GARBAGE = "garbage"


@dataclass(slots=True, kw_only=True)
class _Numbers:
    """The newest problem of a tool, and the episode it is in; 0 before the first."""

    problem: int = 0
    episode: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The bot's answer to one delivery; status 0 when there was none."""

    kind: str
    status: int
    text: str
    milliseconds: int


class Sources:
    """One tool per provider whose samples were handed in.

    `before` hears of each genuine delivery first, and says whether the tool can send it.
    """

    def __init__(
        self,
        samples: Mapping[str, Samples],
        *,
        bot_url: str,
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._samples = samples
        self.before: Callable[[str, Sample], bool] = lambda _provider, _sample: True
        self._bot_url = bot_url.rstrip("/")
        self._now = now
        self._changed = changed
        self._numbers = {name: _Numbers() for name in samples}
        self._session: aiohttp.ClientSession | None = None

    @property
    def names(self) -> list[str]:
        return sorted(self._samples)

    @property
    def numbers(self) -> dict[str, list[int]]:
        """Per tool (problem, episode): what a restart has to remember."""
        return {name: [numbers.problem, numbers.episode] for name, numbers in self._numbers.items()}

    def resume(self, numbers: Mapping[str, list[int]]) -> None:
        """Go on after these numbers."""
        for name, (problem, episode) in numbers.items():
            if name in self._numbers:
                self._numbers[name] = _Numbers(problem=problem, episode=episode)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def act(self, provider: str, action: Action) -> list[Delivered]:
        """Make the tool do something; returns the bot's answers in the order of sending."""
        if provider not in self._samples:
            raise SlackError(
                "unknown_provider", f"there is no source {provider}; there are {', '.join(self.names)}"
            )
        match action:
            case Action.TRIGGER:
                return [await self._trigger(provider)]
            case Action.FLAP:
                return await self._flap(provider)
            case Action.STORM:
                return await self._storm(provider)
            case Action.FORGED:  # it is refused, so its number stays free
                number = self._numbers[provider].problem + 1
                sample = forged(self._sample(provider, SampleKind.TRIGGERED, number))
                return [await self._post(provider, sample, SampleKind.TRIGGERED)]
            case _:
                return [await self._tell(provider, _KINDS[action])]

    async def _trigger(self, provider: str) -> Delivered:
        number = self._new_problem(provider)
        return await self._deliver(provider, self._sample(provider, SampleKind.TRIGGERED, number))

    async def _tell(self, provider: str, kind: SampleKind) -> Delivered:
        """Say something about the newest problem; without one there has to be one first."""
        numbers = self._numbers[provider]
        needs_problem = kind in {SampleKind.RECOVERED, SampleKind.REPEATED, SampleKind.NO_DATA}
        if needs_problem and not numbers.problem:
            await self._trigger(provider)
        sample = self._sample(provider, kind, numbers.problem or 1, numbers.episode)
        return await self._deliver(provider, sample, kind)

    async def _flap(self, provider: str) -> list[Delivered]:
        """The newest problem recovers and comes back, a few times."""
        numbers = self._numbers[provider]
        answers = [] if numbers.problem else [await self._trigger(provider)]
        for _ in range(FLAPS):
            answers.append(await self._tell(provider, SampleKind.RECOVERED))
            numbers.episode += 1
            self._changed()
            answers.append(await self._tell(provider, SampleKind.TRIGGERED))
        return answers

    async def _storm(self, provider: str) -> list[Delivered]:
        """Fifty problems at once."""
        slots = asyncio.Semaphore(STORM_CONCURRENCY)
        samples = [
            self._sample(provider, SampleKind.TRIGGERED, self._new_problem(provider)) for _ in range(STORM)
        ]

        async def deliver(sample: Sample) -> Delivered:
            async with slots:
                return await self._deliver(provider, sample)

        return list(await asyncio.gather(*map(deliver, samples)))

    def _new_problem(self, provider: str) -> int:
        numbers = self._numbers[provider]
        numbers.problem, numbers.episode = numbers.problem + 1, 1
        self._changed()
        return numbers.problem

    def _sample(self, provider: str, kind: SampleKind, problem: int, episode: int = 1) -> Sample:
        return self._samples[provider].sample(kind, problem=problem, episode=episode, at=self._now())

    async def _deliver(
        self, provider: str, sample: Sample, kind: SampleKind = SampleKind.TRIGGERED
    ) -> Delivered:
        if not self.before(provider, sample):
            return Delivered(kind=kind.value, status=0, text=f"{provider} is out of reach", milliseconds=0)
        return await self._post(provider, sample, kind)

    async def _post(self, provider: str, sample: Sample, kind: SampleKind) -> Delivered:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        started = monotonic()
        try:
            url = f"{self._bot_url}/webhooks/{provider}"
            async with self._session.post(url, data=sample.body, headers=sample.headers) as answer:
                status, text = answer.status, (await answer.text())[:500]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            status, text = 0, f"No answer: {type(error).__name__}"
        took = round((monotonic() - started) * 1000)
        return Delivered(kind=kind.value, status=status, text=text, milliseconds=took)


def forged(sample: Sample) -> Sample:
    """The sample with its proof of origin broken: a secret header or, where there is none, the body's signature."""
    headers = dict(sample.headers)
    secret_names = [name for name in headers if _SECRET_HEADER.search(name)]
    for name in secret_names:
        headers[name] = _broken(headers[name])
    if secret_names:
        return Sample(headers=headers, body=sample.body)
    body = re.sub(
        rb'("Signature"\s*:\s*")([^"]+)', lambda m: m.group(1) + m.group(2).swapcase(), sample.body, count=1
    )
    return Sample(headers=headers, body=body if body != sample.body else sample.body + b" ")


def _broken(value: str) -> str:
    match = _CREDENTIAL.fullmatch(value)
    if match is None:
        return f"{value}x"
    scheme, rest = match["scheme"] or "", match["rest"]
    changed = rest.translate(_NEXT)
    return f"{scheme}{changed if changed != rest else rest + 'x'}"


_KINDS: dict[Action, Any] = {
    Action.RECOVER: SampleKind.RECOVERED,
    Action.REPEAT: SampleKind.REPEATED,
    Action.NO_DATA: SampleKind.NO_DATA,
    Action.TEST: SampleKind.TEST,
    Action.GARBAGE: SampleKind.GARBAGE,
}
