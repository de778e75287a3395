"""GET and POST /confirm/{token}: whoever has a test e-mail says so. GET only shows: mail scanners open links too."""

import logging
import re
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.adapters.mail import digest
from bot.domain.errors import SocmonError, Unavailable
from bot.domain.test_alert import Hop, TestAlert, TestIsOver, UnknownTest
from bot.ports import RecordKeeper
from bot.procedures import test_alerting

log = logging.getLogger(__name__)

_TOKEN = re.compile(r"[0-9a-f]{48}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # the address holds the secret
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1d1c1d}"
    "button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#007a5a;color:#fff}"
    "@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#e8e8e8}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """The link's secret is its authority: the records know its digest only."""

    records: RecordKeeper

    async def show(self, request: Request) -> HTMLResponse:
        try:
            test = await self.records.read(test_alerting.of_link, _digest(request))
        except SocmonError as error:
            return _refusal(error)
        if Hop.SEEN in test.passed:
            return _thanks(test)
        if test.is_over:
            return _refusal(TestIsOver(test))
        ask = '<form method="post"><button>I received this</button></form>'
        return _page(
            200,
            f"{test.name}: TEST, no alert",
            "Nothing is wrong. Press the button to say that the e-mail is read.",
            ask,
        )

    async def confirm(self, request: Request) -> HTMLResponse:
        try:
            test = await self.records.write(test_alerting.seen_by_link, _digest(request))
        except SocmonError as error:
            return _refusal(error)
        return _thanks(test)


def _digest(request: Request) -> str:
    token = request.path_params["token"]
    if not _TOKEN.fullmatch(token):
        raise UnknownTest
    return digest(token)


def _thanks(test: TestAlert) -> HTMLResponse:
    return _page(
        200,
        f"{test.name}: received",
        "It is on record that this e-mail was received. You can close this page.",
    )


def _refusal(error: SocmonError) -> HTMLResponse:
    match error:
        case UnknownTest():
            return _page(
                404, "Unknown link", "This link belongs to no test of socmon here, so nothing was recorded."
            )
        case TestIsOver():
            return _page(
                410, "Too late", "This test is over already, so nothing was recorded. Wait for the next one."
            )
        case Unavailable():
            return _page(
                503, "Try again", "socmon cannot write its records at the moment. Press again in a minute."
            )
        case _:
            log.warning("a test could not be confirmed: %s", error)
            return _page(400, "Not recorded", "Nothing was recorded. Tell an operator of socmon.")


def _page(status: int, title: str, says: str, more: str = "") -> HTMLResponse:
    """`more` is markup; everything else is text."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<h1>{escape(title)}</h1><p>{escape(says)}</p>{more}"
    page = (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>'
    )
    return HTMLResponse(page, status, headers=_HEADERS)
