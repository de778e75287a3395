"""What the providers' tests share: a request with a body, and the webhook a provider makes of its own samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.domain.alert import Reported
from bot.domain.errors import Unreadable
from bot.ports import Answer
from bot.providers.contract import Provider, Reading, Request, Sample, Samples, Webhook

NOW = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Pages:
    """A network that knows these pages and no others."""

    pages: Mapping[str, bytes] = field(default_factory=dict)

    async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:  # noqa: ARG002
        if url not in self.pages:
            raise OSError(f"nobody answers at {url}")
        return Answer(status=200, body=self.pages[url])


def request(body: bytes, headers: Mapping[str, str] | None = None, *, at: datetime = NOW) -> Request:
    return Request(headers=headers or {}, body=body, received_at=at)


def of(sample: Sample, *, at: datetime = NOW) -> Request:
    return request(sample.body, sample.headers, at=at)


def webhook_of(
    provider: Provider, samples: Samples | None = None, environ: Mapping[str, str] | None = None
) -> Webhook:
    """The provider's webhook, set up so that it accepts these samples (or with another environment)."""
    samples = samples or provider.samples()
    settings = provider.settings(samples.table, samples.environ if environ is None else environ)
    return provider.webhook(settings, Pages(samples.pages))


def set_up(provider: Provider) -> tuple[Samples, Webhook]:
    """Samples, and a webhook that accepts them."""
    samples = provider.samples()
    return samples, webhook_of(provider, samples)


def read_file(webhook: Webhook, path: Path, *, at: datetime = NOW) -> Reading:
    return webhook.read(request(path.read_bytes(), at=at))


def made_of(webhook: Webhook, path: Path, *, at: datetime = NOW) -> str:
    """What socmon makes of a payload file, in a line for a table: the reports, the gap, or why it is unreadable."""
    try:
        reading = read_file(webhook, path, at=at)
    except Unreadable as error:
        return f"unreadable: {error}"
    gap = [f"gap: {reading.gap}"] if reading.gap else []
    return " + ".join([*map(_told, reading.alerts), *gap])


def _told(reported: Reported) -> str:
    if reported.ignored:
        return f"ignored: {reported.ignored}"
    return " ".join(
        filter(None, [reported.change, reported.severity, reported.component, f"“{reported.title}”"])
    )


def facts(reported: Reported, *names: str) -> dict[str, Any]:
    return {name: getattr(reported, name) for name in names}
