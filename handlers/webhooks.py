"""POST /webhooks/{provider}: check who sent it, store it durably, and only then answer.

2xx means stored. 401 and 403 mean not from who it claims. 413 and 415 mean too large or compressed. 503 means "please
send again" and nothing else: never 429 or another 4xx, which some senders take for "never again".
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.delivery import Delivery, Receipt, Result
from bot.domain.errors import Refused, TryAgain, Unavailable, Unreadable
from bot.domain.thread import SlackRoutes
from bot.ports import Clock, RecordKeeper
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from bot.providers import contract
from bot.providers.contract import Webhook
from handlers.body import read_body

log = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
SMALL_BODY = 64 * 1024
MOST_HELD = 32 * 1024 * 1024
BODY_SECONDS = 15
RESEND_SECONDS = 300

DELIVERIES = Counter("socmon_deliveries_total", "Deliveries by provider and result", ["provider", "result"])
INTAKE_SECONDS = Histogram(
    "socmon_intake_seconds",
    "From request to durable answer",
    ["provider"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


@dataclass(slots=True)
class Bodies:
    """How many bytes of large bodies are held at the moment, all together.

    Only what a body has above 64 KiB counts: then strangers who send large ones keep no ordinary delivery out.
    """

    held: int = 0

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Gives a function that is told how large a body is by now, and raises TryAgain when that is too much."""
        mine = 0

        def grow(size: int) -> None:
            nonlocal mine
            more = max(size - SMALL_BODY, 0) - mine
            if self.held + more > MOST_HELD:
                raise TryAgain("Too many large bodies arrive at once. Send it again.")
            mine += more
            self.held += more

        try:
            yield grow
        finally:
            self.held -= mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the endpoint needs. `webhooks` holds the enabled providers; `wake` tells the projector."""

    records: RecordKeeper
    webhooks: Mapping[str, Webhook]
    routes: SlackRoutes
    clock: Clock
    wake: Any
    bodies: Bodies = field(default_factory=Bodies)

    async def handle(self, request: Request) -> Response:
        provider = request.path_params["provider"]
        webhook = self.webhooks.get(provider)
        if webhook is None:
            return _answer(
                404, f"No source named {provider} is connected. Enable it under [providers.{provider}]."
            )
        started = self.clock.monotonic()
        try:
            proven = webhook.check_headers(request.headers)
            with self.bodies.share() as grow:
                body = await read_body(
                    request,
                    most=LARGEST_BODY,
                    too_large=f"The body is over {LARGEST_BODY} bytes. Send fewer alerts at a time.",
                    seconds=BODY_SECONDS,
                    grow=grow,
                )
                return await self._receive(provider, webhook, request, body, proven)
        except Refused as refused:
            return await self._refuse(provider, refused)
        except (Unavailable, TryAgain) as error:
            log.warning("%s: answered 503: %s", provider, error)
            return _come_back(provider, str(error))
        except Exception:
            log.exception("%s: answered 503 for a fault of socmon", provider)
            return _come_back(
                provider, "socmon failed, so nothing was recorded. Send it again; its log says more."
            )
        finally:
            INTAKE_SECONDS.labels(provider).observe(self.clock.monotonic() - started)

    async def _receive(
        self, provider: str, webhook: Webhook, http: Request, body: bytes, proven: str
    ) -> Response:
        request = contract.Request(headers=http.headers, body=body, received_at=self.clock.now())
        verified_by = proven or await webhook.authenticate(request)
        await webhook.follow_up(request)
        receipt, delivery = await self.record(read_delivery(provider, webhook, request, verified_by))
        return JSONResponse(_receipt(receipt, delivery), 202)

    async def record(self, delivery: Delivery) -> tuple[Receipt, Delivery]:
        """What became of a genuine delivery, and what was stored of it; raises Unavailable."""
        receipt, kept = await self._record(delivery)
        DELIVERIES.labels(delivery.provider, receipt.result).inc()
        self.wake()
        return receipt, kept

    async def _record(self, delivery: Delivery) -> tuple[Receipt, Delivery]:
        try:
            return await self.records.write(receive_alert, delivery, routes=self.routes), delivery
        except Unavailable:
            raise
        except Exception as error:
            # A fault of ours must not make a genuine alert bounce for ever: keep it whole, and show the gap.
            log.exception("%s: a genuine delivery could not be recorded as alerts", delivery.provider)
            gap = f"socmon could not record what it read ({type(error).__name__}); please report this"
            kept = Delivery(
                provider=delivery.provider,
                delivery_id=sha256(
                    delivery.body
                ).hexdigest(),  # its own one may be what could not be recorded
                received_at=delivery.received_at,
                verified_by=delivery.verified_by,
                body=delivery.body,
                gap=gap,
                unreadable=True,
            )
            return await self.records.write(receive_alert, kept, routes=self.routes), kept

    async def _refuse(self, provider: str, refused: Refused) -> Response:
        log.warning("%s: refused a delivery: %s", provider, refused.reason)
        try:
            await self.records.write(refuse_delivery, provider, reason=refused.reason)
        except Unavailable as error:
            return _come_back(provider, str(error))
        DELIVERIES.labels(provider, Result.REFUSED).inc()
        return _answer(refused.status, str(refused))


def read_delivery(provider: str, webhook: Webhook, request: contract.Request, verified_by: str) -> Delivery:
    """What a genuine request says; when it cannot be read, a gap."""
    try:
        reading = webhook.read(request)
    except Exception as error:
        gap = str(error)
        if not isinstance(error, Unreadable):
            log.exception("%s: a genuine delivery could not be read", provider)
            gap = f"socmon failed while it read this ({type(error).__name__}); please report this"
        return Delivery(
            provider=provider,
            delivery_id=body_digest(request),
            named=False,
            received_at=request.received_at,
            verified_by=verified_by,
            body=request.body,
            gap=gap,
            unreadable=True,
        )
    return Delivery(
        provider=provider,
        delivery_id=reading.delivery_id or body_digest(request),
        named=bool(reading.delivery_id),
        received_at=request.received_at,
        verified_by=verified_by,
        body=request.body,
        alerts=reading.alerts,
        gap=reading.gap,
    )


def body_digest(request: contract.Request) -> str:
    """A delivery id for senders that give none: equal bodies within the same five minutes may be one delivery.

    A later equal body is not a re-send but the tool saying that the problem lasts.
    """
    return f"{sha256(request.body).hexdigest()}@{int(request.received_at.timestamp()) // RESEND_SECONDS}"


def _receipt(receipt: Receipt, delivery: Delivery) -> dict[str, Any]:
    """What the sender, or a person with curl, is told."""
    told: dict[str, Any] = {"result": receipt.result}
    if delivery.gap:
        told["gap"] = delivery.gap
    if receipt.alerts:
        told["alerts"] = [
            {"outcome": outcome}
            | ({"alert": f"A-{alert}"} if alert else {})
            | ({"reason": reason} if reason else {})
            for outcome, alert, reason in receipt.alerts
        ]
    return told


def _come_back(provider: str, why: str) -> Response:
    """Nothing was stored, and the sender should send it again."""
    DELIVERIES.labels(provider, "unavailable").inc()
    return _answer(503, why, {"Retry-After": "5"})


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers=headers)
