"""`python -m bot.playground`: the playground as a process of its own, for tests that kill the bot."""

import argparse
import asyncio
import sys
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
    parser.add_argument("--bot-url", required=True, help="where the bot is, for example http://127.0.0.1:3000")
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
        print(error, file=sys.stderr)  # noqa: T201 - a command's own error
        return 2
    asyncio.run(serve(playground, host=options.host, port=options.port))
    return 0


async def serve(playground: Playground, *, host: str, port: int) -> None:
    config = uvicorn.Config(
        Starlette(routes=playground.routes),
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,  # open pages hold a stream each
    )
    await playground.start()
    try:
        await uvicorn.Server(config).serve()
    finally:
        await playground.stop()


if __name__ == "__main__":
    raise SystemExit(main())
