"""`python -m bot.playground`: the playground as a process of its own, for tests that kill the bot."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from bot.domain.errors import SocmonError
from bot.playground.app import Playground, create_playground
from bot.playground.people import TOKEN


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot.playground", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--bot-url", required=True, help="where the bot is, for example http://127.0.0.1:3000"
    )
    parser.add_argument("--signing-secret", required=True)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--snapshot", type=Path, help="a file that keeps the workspace over a restart")
    parser.add_argument("--no-rate-limits", action="store_true")
    options = parser.parse_args(arguments)
    try:
        playground = create_playground(
            bot_url=options.bot_url,
            own_url=f"http://{options.host}:{options.port}",
            signing_secret=options.signing_secret,
            bot_token=options.token,
            samples={},
            clock=WallClock(),
            snapshot_path=options.snapshot,
            rate_limits=not options.no_rate_limits,
        )
    except SocmonError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    serve(playground, host=options.host, port=options.port)
    return 0


def serve(playground: Playground, *, host: str, port: int) -> None:
    """Run until a signal ends it. Open pages hold a stream each, so they get one second to let go."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await playground.start()
        try:
            yield
        finally:
            await playground.stop()

    app = Starlette(routes=playground.routes, lifespan=lifespan)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    raise SystemExit(main())
