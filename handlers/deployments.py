"""POST /deployments: a pipeline asks whether what it is about to deploy would be watched, or tells that it did.

The body is the file itself: a plan of Terraform (`terraform show -json`), or a component list as YAML or CSV. 200 means
judged, with `passed` true or false; 400 that it could not be read, 401 and 403 not from whom it should be, 413 and 415
too large or compressed, 503 that it should be sent again.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import Counter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.inventory import read_deployment
from bot.adapters.inventory.rows import WrongInventory
from bot.adapters.threads import in_thread
from bot.domain.deployment import Circumstances, Phase, Verdict
from bot.domain.errors import Refused, TryAgain, Unavailable, Unreadable
from bot.domain.oncall import StoredRoster
from bot.domain.route import Routes
from bot.domain.standard import Standard
from bot.ports import Clock, RecordKeeper
from bot.procedures import assess_coverage, check_deployment
from bot.procedures.check_deployment import Tool
from bot.procedures.receive_alert import refuse_delivery
from bot.providers.contract import Secrets, Way, check_shared_secret, web_address
from handlers.body import read_body

log = logging.getLogger(__name__)

NAME = "deployments"
LARGEST_BODY = 32 * 1024 * 1024
BODY_SECONDS = 60
ASKED = ("phase", "commit", "environment", "url")
DEPLOYMENTS = Counter(
    "socmon_deployments_total", "Deployments judged by phase and verdict", ["phase", "passed"]
)

# What the body is, by the end that such a file's name has.
_ENDS = {"text/csv": ".csv", "application/yaml": ".yaml", "text/yaml": ".yaml", "application/x-yaml": ".yaml"}
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_ENVIRONMENT = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the endpoint needs. One body at a time is held and judged, since it may be large; others wait."""

    records: RecordKeeper
    clock: Clock
    secrets: Secrets
    tools: Mapping[str, Tool]
    standard: Standard
    time_to_live: timedelta
    routes: Callable[[StoredRoster | None, datetime], Routes]
    draining: Callable[[], bool]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle(self, request: Request) -> Response:
        try:
            self._refuse_when_stopping()
            check_shared_secret(NAME, self.secrets, request.headers, set(Way))
            told = _circumstances(request.query_params)
            async with self.turn:
                return await self._judge(request, told)
        except Refused as refused:
            return await self._refuse(refused)
        except (WrongInventory, Unreadable) as wrong:
            return _answer(400, str(wrong))
        except (Unavailable, TryAgain) as error:
            return _answer(503, str(error), {"Retry-After": "5"})
        except Exception:
            log.exception("a deployment could not be judged")
            return _answer(503, "socmon failed, so nothing was judged. Send it again; its log says more.")

    async def _judge(self, request: Request, told: Circumstances) -> Response:
        path = _file(request)
        body = await read_body(
            request,
            most=LARGEST_BODY,
            too_large=f"The body is over {LARGEST_BODY >> 20} MiB. Plan fewer resources at a time (-target).",
            seconds=BODY_SECONDS,
        )
        deployment = await in_thread(read_deployment, path, body)
        before = await self.records.read(assess_coverage.on_record)
        now = self.clock.now()
        verdict: Verdict = await in_thread(
            check_deployment.judge,
            deployment,
            before,
            self.tools,
            standard=self.standard,
            routes=self.routes(before.roster, now),
            now=now,
            time_to_live=self.time_to_live,
        )
        await self.records.write(check_deployment.record, verdict, told)
        DEPLOYMENTS.labels(told.phase, str(verdict.passed).lower()).inc()
        # In a thread as well: of tens of thousands of components it is tens of MB.
        return await in_thread(JSONResponse, {"phase": told.phase.value} | await in_thread(verdict.document))

    def _refuse_when_stopping(self) -> None:
        if self.draining():
            raise TryAgain("socmon is about to stop. Send it again.")

    async def _refuse(self, refused: Refused) -> Response:
        log.warning("a deployment was refused: %s", refused.reason)
        try:
            await self.records.write(refuse_delivery, NAME, reason=refused.reason)
        except Unavailable as error:
            return _answer(503, str(error), {"Retry-After": "5"})
        return _answer(refused.status, str(refused))


def _circumstances(asked: QueryParams) -> Circumstances:
    """Raises Unreadable."""
    for name in asked:
        if name not in ASKED:
            raise Unreadable(f"“{name[:60]}” is not known here. Known are {', '.join(ASKED)}.")
    phase, commit = asked.get("phase", Phase.PLANNED), asked.get("commit", "")
    environment, url = asked.get("environment", ""), asked.get("url", "")
    if phase not in set(Phase):
        raise Unreadable("The phase is neither “planned” nor “deployed”. Leave it out before the deployment.")
    if commit and not _COMMIT.fullmatch(commit):
        raise Unreadable(
            "The commit is not 7 to 64 hexadecimal digits. Give it as `git rev-parse HEAD` does."
        )
    if environment and not _ENVIRONMENT.fullmatch(environment):
        raise Unreadable("The environment is not 1 to 60 letters, digits, dots and dashes. Shorten its name.")
    if url and (url != web_address(url) or "@" in url or "?" in url):
        raise Unreadable(
            "The url is no plain http(s) address. Give that of the pipeline's run, without a query."
        )
    return Circumstances(phase=Phase(phase), commit=commit.lower(), environment=environment, url=url)


def _file(request: Request) -> Path:
    """Under which name the body would lie in a folder: that of its sort."""
    sort = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    end = _ENDS.get(sort, ".json")
    return Path("plan.json" if end == ".json" else f"components{end}")


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    told: dict[str, Any] = {"error": message}
    return JSONResponse(told, status, headers=headers)
