"""Slack's Web API under /playground/api/: token, scopes, limits, faults, then the method itself.

It is a plain ASGI application, since two of its faults end a connection in ways no web framework offers.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from bot.playground.arguments import Arguments, read_arguments
from bot.playground.errors import SlackError
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.methods import METHODS
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.rate_limits import RateLimits
from bot.playground.transcript import Transcript
from bot.playground.workspace import Workspace

LONGEST_SILENCE = 120.0  # seconds a timed-out call is held before the connection is dropped


@dataclass(slots=True, kw_only=True)
class _Reply:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class WebApi:
    """Answers the bot's calls as Slack would."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        token: str,
        scopes: Iterable[str],
        faults: Faults,
        limits: RateLimits,
        transcript: Transcript,
        own_url: str,
    ) -> None:
        self._workspace = workspace
        self._token = token
        self._scopes = frozenset(scopes)
        self._faults = faults
        self._limits = limits
        self._transcript = transcript
        self._own_url = own_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        name = request.path_params["method"]
        started = self._workspace.now()
        body = await request.body()
        if slow := self._faults.take(Kind.SLOW, name):
            await asyncio.sleep(slow.delay)
        if down := self._faults.take(Kind.DOWN, name):
            await self._fail(down, name, started, receive, send)
            return
        about, reply = self._answer(name, request, body)
        lost = self._faults.take(Kind.LOSE_ANSWER, name) if reply.body["ok"] else None
        error = "lost_answer" if lost else reply.body.get("error", "")
        self._note(name, started, reply.status, error, about)
        await (_hang_up(send) if lost else _send(send, reply))

    def _answer(self, name: str, request: Request, body: bytes) -> tuple[str, _Reply]:
        about = ""
        try:
            given = read_arguments(request.url.query, request.headers.get("content-type", ""), body)
            about = str(given.get("channel") or given.get("user_id") or "")
            method = _method(name)
            scopes = self._authorize(method, given, request.headers.get("authorization", ""))
            if wait := self._wait(name, method, about):
                return about, _Reply(
                    status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": str(wait)}
                )
            answer = self._run(method, given, scopes)
            return about, _Reply(status=200, body={"ok": True} | answer, headers=self._scope_headers(method))
        except SlackError as error:
            return about, _Reply(status=200, body={"ok": False, "error": error.error} | error.details)

    def _authorize(self, method: Method, given: dict[str, Any], header: str) -> frozenset[str]:
        if method.public:
            return frozenset()
        token = header.removeprefix("Bearer ").strip() or str(given.get("token") or "")
        if not token:
            raise SlackError("not_authed")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise SlackError("invalid_auth")
        if any(fault.kind is Kind.REVOKED_TOKEN for fault in self._faults.on):
            raise SlackError("token_revoked")
        scopes = self._scopes - self._faults.withdrawn_scopes()
        if method.scopes and not scopes & set(method.scopes):
            provided = ",".join(sorted(scopes))
            raise SlackError("missing_scope", needed=method.scopes[0], provided=provided)
        return scopes

    def _wait(self, name: str, method: Method, about: str) -> int:
        if fault := self._faults.take(Kind.RATE_LIMIT, name):
            return fault.retry_after
        return self._limits.retry_after(name, method.tier, about)

    def _run(self, method: Method, given: dict[str, Any], scopes: frozenset[str]) -> Answer:
        call = Call(
            workspace=self._workspace, arguments=Arguments(given), own_url=self._own_url, scopes=scopes
        )
        return method.run(call)

    def _scope_headers(self, method: Method) -> dict[str, str]:
        granted = sorted(self._scopes - self._faults.withdrawn_scopes())
        return {"X-OAuth-Scopes": ",".join(granted), "X-Accepted-OAuth-Scopes": ",".join(method.scopes)}

    async def _fail(self, fault: Fault, name: str, started: datetime, receive: Receive, send: Send) -> None:
        match fault.mode:
            case "close":
                self._note(name, started, 0, "connection_closed")
                await _hang_up(send)
            case "timeout":
                self._note(name, started, 0, "no_answer")
                with suppress(TimeoutError):
                    await asyncio.wait_for(receive(), LONGEST_SILENCE)  # until the client gives up
            case _:
                self._note(name, started, 500, "")
                body = {"ok": False, "error": "internal_error"}
                await _send(send, _Reply(status=500, body=body))

    def _note(self, name: str, started: datetime, status: int, error: str, about: str = "") -> None:
        entry = self._transcript.add(
            "in",
            name if name in METHODS else "unknown",
            at=started,
            until=self._workspace.now(),
            status=status,
            error=error,
            about=about,
        )
        self._workspace.tell("request", entry.as_json())


def _method(name: str) -> Method:
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    return METHODS[name]


async def _send(send: Send, reply: _Reply) -> None:
    body = json.dumps(reply.body).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        **reply.headers,
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _hang_up(send: Send) -> None:
    """Promise a body and never send it: the server then closes the connection in the middle of the answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"ok":', "more_body": True})
