"""Outgoing requests: no redirects, no surprises in size or time, and through the proxy where there is one."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.network import AiohttpNetwork
from bot.ports import Answer, Network
from tests.tls import go_direct, tls_server

NETWORK: Network = AiohttpNetwork()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    go_direct(monkeypatch)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_get("/page", _page)
    app.router.add_get("/gone", _gone)
    app.router.add_get("/moved", _moved)
    app.router.add_get("/slow", _slow)
    app.router.add_get("/drip", _drip)
    app.router.add_get("/bomb", _bomb)
    listening = TestServer(app)
    async with listening:
        yield listening


async def _page(_request: web.Request) -> web.Response:
    return web.Response(body=b"x" * 100)


async def _gone(_request: web.Request) -> web.Response:
    return web.Response(status=410, body=b"gone")


async def _moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/page")


async def _slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def _drip(request: web.Request) -> web.StreamResponse:
    """Never idle, and never done."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


async def _bomb(request: web.Request) -> web.Response:
    assert request.headers["Accept-Encoding"] == "identity"
    return web.Response(body=gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"})


async def get(server: TestServer, path: str, *, most_bytes: int = 1000, seconds: float = 5) -> Answer:
    return await NETWORK.get(str(server.make_url(path)), most_bytes=most_bytes, seconds=seconds)


async def test_status_and_body(server: TestServer) -> None:
    assert await get(server, "/page") == Answer(status=200, body=b"x" * 100)
    assert await get(server, "/gone") == Answer(status=410, body=b"gone")


async def test_redirects_are_not_followed(server: TestServer) -> None:
    """Where one leads to was not checked by whoever asked."""
    assert (await get(server, "/moved")).status == 302


async def test_no_more_than_was_asked_for(server: TestServer) -> None:
    assert len((await get(server, "/page", most_bytes=100)).body) == 100
    with pytest.raises(ValueError, match="over 99 bytes"):
        await get(server, "/page", most_bytes=99)


async def test_nothing_is_inflated(server: TestServer) -> None:
    """A small answer cannot become a large one."""
    assert len((await get(server, "/bomb", most_bytes=16_384)).body) < 16_384


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_the_time_is_for_the_whole_answer(server: TestServer, path: str) -> None:
    with pytest.raises(TimeoutError):
        await get(server, path, seconds=0.2)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://nowhere.invalid/",
        "https://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "http://",
        "nonsense",
    ],
)
async def test_nobody_answers(url: str) -> None:
    with pytest.raises(OSError, match="No answer from"):
        await NETWORK.get(url, most_bytes=1, seconds=5)


async def test_an_error_shows_no_secret() -> None:
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1") as error:
        await NETWORK.get("http://user:hunter2@127.0.0.1:1/?token=hunter2", most_bytes=1, seconds=5)

    assert "hunter2" not in str(error.value)


async def test_a_proxy_is_used(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked for the whole address; where NO_PROXY names the host, it is not."""
    asked: list[str] = []

    async def forward(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(body=b"by proxy")

    app = web.Application()
    app.router.add_get("/{path:.*}", forward)
    async with TestServer(app) as proxy:
        monkeypatch.setenv("HTTP_PROXY", str(proxy.make_url("/")))
        by_proxy = await NETWORK.get("http://sns.example.test/x.pem", most_bytes=100, seconds=5)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        direct = await get(server, "/page")

    assert (by_proxy.body, asked) == (b"by proxy", ["http://sns.example.test/x.pem"])
    assert direct.body == b"x" * 100


async def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing about the host behind it, so it counts as no answer."""
    async with TestServer(web.Application()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", str(proxy.make_url("/")))
        with pytest.raises(OSError, match=r"No answer from sns\.example\.test"):
            await NETWORK.get("https://sns.example.test/x.pem", most_bytes=100, seconds=5)


async def test_ssl_cert_file_says_whom_to_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "ca.pem"
    app = web.Application()
    app.router.add_get("/", _gone)
    async with tls_server(app, certificate) as url:
        with pytest.raises(OSError, match="No answer"):
            await AiohttpNetwork().get(f"{url}/", most_bytes=100, seconds=5)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        answer = await AiohttpNetwork().get(f"{url}/", most_bytes=100, seconds=5)

    assert answer == Answer(status=410, body=b"gone")
