"""A dashboard that is known by its address only, as a headless Chromium shows it.

Chromium is told what to do over its own DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), so
that no browser has to be shipped with socmon: an operator names the program, or does without.
"""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.domain.dashboard import (
    MOST_SIDE,
    Captured,
    Dashboard,
    Panel,
    Pixels,
    Trouble,
    Uncaptured,
    check_pixels,
)

WIDTH, HEIGHT = 1400, 900
START_SECONDS = 20.0
PAGE_SECONDS = 45.0
QUIET_SECONDS = 0.7
"""How long no request is under way until a page counts as loaded."""
SPINNING_SECONDS = 8.0
"""How long a page that is otherwise quiet may still say that it is loading."""
MOST_MESSAGE = 64 * 1024 * 1024
FUTURE = timedelta(minutes=15)
LOOK = """(() => {
  const seen = e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e);
    return r.width > 0 && r.height > 0 && s.visibility !== "hidden" && s.display !== "none"; };
  const busy = "[aria-busy=true],[role=progressbar],[class*=spinner i],[class*=skeleton i],[data-testid*=loading i]";
  const times = [...document.querySelectorAll("time[datetime]")].map(e => Date.parse(e.dateTime)).filter(isFinite);
  return JSON.stringify({
    url: location.href, title: document.title, text: (document.body ? document.body.innerText : "").slice(0, 20000),
    password: [...document.querySelectorAll("input[type=password]")].some(seen),
    busy: [...document.querySelectorAll(busy)].filter(seen).length,
    broken: [...document.images].filter(i => !i.complete || (i.currentSrc && !i.naturalWidth)).length,
    width: Math.max(document.documentElement.scrollWidth, innerWidth),
    height: Math.max(document.documentElement.scrollHeight, 1),
    newest: times.length ? Math.max(...times) : null, ready: document.readyState,
  });
})()"""
LOGIN_PATHS = ("login", "signin", "sign-in", "sso", "saml", "oauth", "oauth2", "authorize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """`program` is Chromium's path, "" where there is none."""

    program: str
    seconds: float = PAGE_SECONDS

    async def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        """The page in its full height. Raises Uncaptured.

        How fresh it is, only the page can tell: by the newest <time datetime> on it. The account has to stand on it.
        """
        if not self.program or not shutil.which(self.program):
            raise Uncaptured(
                Trouble.NO_PICTURE,
                f"There is no Chromium{f' at {self.program}' if self.program else ''} to look at this page with.",
                'Install it on socmon\'s host and name it: [dashboards] chromium = "/usr/bin/chromium".',
            )
        try:
            async with asyncio.timeout(self.seconds + START_SECONDS), _chromium(self.program) as tab:
                seen, content = await self._visit(tab, dashboard)
        except TimeoutError as error:
            raise self._timed_out() from error
        except (aiohttp.ClientError, OSError, ConnectionError) as error:
            raise Uncaptured(
                Trouble.SILENT,
                f"Chromium did not start or went away ({type(error).__name__}).",
                "Run it by hand on socmon's host, and see what it says.",
            ) from error
        newest = datetime.fromtimestamp(seen["newest"] / 1000, UTC) if seen["newest"] else None
        if newest and newest > end + FUTURE:
            newest = None
        return Captured(
            panels=(Panel(title=str(seen["title"] or dashboard.title), picture=content),),
            account=dashboard.account if dashboard.account in str(seen["text"]) else "",
            start=start,
            end=end,
            newest_at=newest,
            tells_age=newest is not None,
        )

    async def _visit(self, tab: "_Tab", dashboard: Dashboard) -> tuple[dict[str, Any], bytes]:
        for domain in ("Page", "Network", "Runtime"):
            await tab.ask(f"{domain}.enable")
        await tab.ask(
            "Emulation.setDeviceMetricsOverride",
            width=WIDTH,
            height=HEIGHT,
            deviceScaleFactor=1,
            mobile=False,
        )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.seconds
        try:
            async with asyncio.timeout_at(deadline):
                went = await tab.ask("Page.navigate", url=dashboard.url)
        except TimeoutError as error:
            raise self._timed_out() from error
        if went.get("errorText"):
            raise Uncaptured(
                Trouble.SILENT,
                f"The page did not answer ({went['errorText']}).",
                "Check its address, and that socmon's host reaches it.",
            )
        seen = await self._settled(tab, deadline)
        _check_page(seen, tab.status, dashboard)
        sides = Pixels(width=int(seen["width"]), height=int(seen["height"]), commonest=0)
        if max(sides.width, sides.height) > MOST_SIDE:  # before it is drawn
            check_pixels(sides)
        clip = {"x": 0, "y": 0, "width": sides.width, "height": max(sides.height, HEIGHT), "scale": 1}
        shot = await tab.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return seen, b64decode(shot["data"])

    async def _settled(self, tab: "_Tab", deadline: float) -> dict[str, Any]:
        """What is on the page once nothing loads any more."""
        loop = asyncio.get_running_loop()
        spinning_since: float | None = None
        while loop.time() < deadline:
            await asyncio.sleep(0.1)
            if tab.under_way or loop.time() - tab.last_news < QUIET_SECONDS:
                continue
            seen = await tab.look()
            if seen["ready"] != "complete":
                continue
            if not seen["busy"] or seen["password"]:
                return seen
            spinning_since = spinning_since or loop.time()
            if loop.time() - spinning_since > min(SPINNING_SECONDS, self.seconds / 2):
                return seen
        if tab.status is None:
            raise self._timed_out()
        raise Uncaptured(
            Trouble.TIMED_OUT,
            f"The page was still loading after {self.seconds:g} s: {len(tab.under_way)} requests were under way.",
            "See what it waits for; a page that streams for ever cannot be captured.",
        )

    def _timed_out(self) -> Uncaptured:
        return Uncaptured(
            Trouble.TIMED_OUT,
            f"The page did not come within {self.seconds:g} s.",
            "See whether it is slow in your browser, and what it waits for.",
        )


def _check_page(seen: dict[str, Any], status: int | None, dashboard: Dashboard) -> None:
    """Raises Uncaptured for another page than was asked for."""
    asked, landed = urlsplit(dashboard.url), urlsplit(str(seen["url"]))
    steps = {step for step in landed.path.casefold().split("/") if step}
    if seen["password"] or status == 401 or (asked.path != landed.path and steps & set(LOGIN_PATHS)):
        raise Uncaptured(
            Trouble.LOGIN,
            f"A login page came in place of it (“{seen['title']}” at {landed.netloc}).",
            "Use an address that shows it without a sign-in (a share link that only socmon's host reaches).",
        )
    if status in {404, 410}:
        raise Uncaptured(
            Trouble.MISSING,
            f"There is no such page ({status}).",
            "Correct its address under [[dashboards.pages]].",
        )
    if status and status >= 400:
        raise Uncaptured(
            Trouble.SILENT,
            f"The page answered {status}.",
            "Look at it in your browser; it is taken again next time.",
        )
    if asked.hostname != landed.hostname:
        raise Uncaptured(
            Trouble.NO_PICTURE,
            f"The address led to another host ({landed.hostname}).",
            "Correct it under [[dashboards.pages]] to where the dashboard is.",
        )
    if seen["busy"] or seen["broken"]:
        what = (
            f"{seen['busy']} parts say that they load"
            if seen["busy"]
            else f"{seen['broken']} pictures are not there"
        )
        raise Uncaptured(
            Trouble.HALF_LOADED,
            f"The page is only half loaded: {what}.",
            "See what it waits for in your browser; it is taken again next time.",
        )
    if dashboard.account and dashboard.account not in str(seen["text"]):
        raise Uncaptured(
            Trouble.WRONG_ACCOUNT,
            f"“{dashboard.account}” does not stand on the page, so it may be another account's.",
            "Check its address, and `account` under [[dashboards.pages]].",
        )


@dataclass
class _Tab:
    """One page of a browser: questions by number, and what it tells by itself."""

    socket: aiohttp.ClientWebSocketResponse
    session: str = ""
    under_way: set[str] = field(default_factory=set)
    status: int | None = None
    """Of the page itself."""
    last_news: float = 0.0
    _number: int = 0
    _asked: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def ask(self, method: str, **given: Any) -> dict[str, Any]:
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[self._number] = answer
        asked = {"id": self._number, "method": method, "params": given}
        await self.socket.send_json(asked | ({"sessionId": self.session} if self.session else {}))
        return await answer

    async def look(self) -> dict[str, Any]:
        told = await self.ask("Runtime.evaluate", expression=LOOK, returnByValue=True)
        found: dict[str, Any] = json.loads(told["result"]["value"])
        return found

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            self._take(json.loads(message.data))
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the browser hung up"))

    def _take(self, told: dict[str, Any]) -> None:
        if "id" in told:
            waiting = self._asked.pop(told["id"], None)
            if waiting and not waiting.done():
                if "error" in told:
                    waiting.set_exception(ConnectionError(told["error"].get("message", "refused")))
                else:
                    waiting.set_result(told.get("result", {}))
            return
        given = told.get("params", {})
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.under_way.add(given["requestId"])
            case "Network.responseReceived":
                # The first document is the page's own: those of its frames come later.
                if given.get("type") == "Document" and self.status is None:
                    self.status = int(given["response"]["status"])
            case "Network.loadingFinished" | "Network.loadingFailed":
                self.under_way.discard(given["requestId"])
            case _:
                return
        self.last_news = asyncio.get_running_loop().time()


@asynccontextmanager
async def _chromium(program: str) -> AsyncIterator[_Tab]:
    """A browser with nothing remembered, gone afterwards. Its debugging port is on loopback, and only for a while."""
    with tempfile.TemporaryDirectory(prefix="socmon-browser-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            "--headless",
            "--no-sandbox",  # containers rarely allow one; the pages are an operator's own
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # so that its helpers go with it
        )
        try:
            address = await _address(Path(folder) / "DevToolsActivePort", process)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=MOST_MESSAGE) as socket,
            ):
                tab = _Tab(socket)
                listening = asyncio.create_task(tab.listen())
                try:
                    made = await tab.ask("Target.createTarget", url="about:blank")
                    joined = await tab.ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)
                    tab.session = joined["sessionId"]
                    yield tab
                finally:
                    listening.cancel()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(file: Path, process: asyncio.subprocess.Process) -> str:
    """Where it listens, as soon as it says so. Raises ConnectionError and TimeoutError."""
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            port, path, *_ = f"{_read(file)}\n".split("\n")
            if port and path:
                return f"ws://127.0.0.1:{port}{path}"
            await asyncio.sleep(0.05)
    raise ConnectionError("it ended at once")


def _read(file: Path) -> str:
    """A line or two, once they are there."""
    try:
        return file.read_text()
    except OSError:
        return ""
