"""What `socmon serve` puts up with from whoever reaches its port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.commands import serve
from bot.commands.serve import LARGEST_HEAD, server_config

Talk = Callable[..., Awaitable[bytes]]
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def refusal(_: Request) -> PlainTextResponse:
    """Answers before the body has come."""
    return PlainTextResponse("no", 401)


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port of a small application, served as socmon is."""
    app = Starlette(
        routes=[
            Route("/", size, methods=["GET", "POST"]),
            Route("/refused", refusal, methods=["POST"]),
        ]
    )
    config = server_config(app, host="127.0.0.1", port=0)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - nobody is told
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def talk(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """Say these things one after the other, and hear until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = asyncio.create_task(_hear(reader))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    except ConnectionError:
        pass
    async with asyncio.timeout(5):
        answer = await heard
    writer.close()
    return answer


async def _hear(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    try:
        while part := await reader.read(65536):
            heard += part
    except ConnectionError:
        pass
    return heard


def answers(heard: bytes) -> list[bytes]:
    return [line.split(b" ")[1] for line in heard.split(b"\r\n") if b"HTTP/1.1 " in line]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b""], []),
        ([b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 20], []),
        ([GET, b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 20], [b"200"]),
        ([b"POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", *[b"x"] * 20], [b"401"]),
    ],
    ids=["silence", "a head that drips", "a second head that drips", "a refused body that drips"],
)
async def test_a_request_that_does_not_begin_holds_no_connection(
    parts: list[bytes], expected: list[bytes]
) -> None:
    """Nor does one that drips its head, a byte now and then, also after a request that was answered."""
    async with served() as port:
        assert answers(await talk(port, *parts, pause=0.05)) == expected


@pytest.mark.usefixtures("impatient")
async def test_a_slow_body_and_a_used_connection_are_left_alone() -> None:
    """The time for a body is the application's; and who goes on asking may stay."""
    body = [b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n", *[b"x"] * 20]
    async with served() as port:
        assert answers(await talk(port, *body, pause=0.05)) == [b"200"]
        assert answers(await talk(port, *[GET] * 10, pause=0.1)) == [b"200"] * 10


async def test_a_head_without_an_end_is_cut_off() -> None:
    """Else it would fill the memory; a body of that size is the application's business."""
    endless = [b"GET / HTTP/1.1\r\nx: ", *[b"y" * 8192] * 20]
    large = (
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 900000\r\n\r\n" + b"x" * 900000
    )
    many = GET * (LARGEST_HEAD // len(GET) + 100) + GET.replace(b"host", b"connection: close\r\nhost")
    async with served() as port:
        assert answers(await talk(port, *endless, pause=0.001)) == []
        assert answers(await talk(port, large)) == [b"200"]
        assert set(answers(await talk(port, many))) == {b"200"}


async def test_more_connections_than_there_are_files_for_are_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 means: send it again."""
    monkeypatch.setattr(serve, "MOST_CONNECTIONS", 3)
    async with served() as port:
        idle: list[Any] = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.05)
        heard = await talk(port, GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        for _, writer in idle:
            writer.close()

    assert answers(heard) == [b"503"]
