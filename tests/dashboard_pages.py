"""A company's own status pages, whole and broken in every way, on loopback."""

import asyncio
from datetime import UTC, datetime, timedelta

from aiohttp import web

ACCOUNT = "Northwind production"
SLOW_SECONDS = 6
LINES = "".join(
    f'<rect x="{x}" y="{400 - x % 250}" width="14" height="{x % 250}" fill="hsl({x},60%,50%)"/>'
    for x in range(20, 1200, 24)
)
CHART = f'<svg width="1240" height="420">{LINES}</svg>'


def page(body: str, *, title: str = "prod-overview", account: str = ACCOUNT) -> str:
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{account}</h1>{body}'


def told(minutes: int) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return f'<p>Last value <time datetime="{at.isoformat()}">{minutes} min ago</time></p>'


async def serve(request: web.Request) -> web.StreamResponse:
    if request.path == "/login":
        raise web.HTTPFound("/sso/start")
    if request.path == "/slow":
        await asyncio.sleep(SLOW_SECONDS)
    pages = {
        "/whole": page(f"{told(1)}{CHART}"),
        "/blank": "<!doctype html><title>prod-overview</title>",
        "/sso/start": page('<form><input name="user"><input type="password"></form>', title="Sign in"),
        "/stale": page(f"{told(95)}{CHART}"),
        "/half": page(f'{told(1)}{CHART}<div class="panel-spinner" style="height:40px">…</div>'),
        "/huge": page('<div style="height:90000px;background:linear-gradient(red,blue)"></div>'),
        "/slow": page(CHART),
        "/other": page(f"{told(1)}{CHART}", account="Northwind staging"),
    }
    found = pages.get(request.path)
    return web.Response(
        status=200 if found else 404, text=found or "<h1>Not found</h1>", content_type="text/html"
    )
