"""Servers with TLS on loopback, whose authority only those trust who are told so (SSL_CERT_FILE)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.playground.tls import server_context

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def go_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor an authority of the machine's own."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    """Whoever makes a TLS context from now on trusts this authority, and goes to loopback without a proxy."""
    go_direct(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@asynccontextmanager
async def tls_server(application: web.Application, certificate_file: Path) -> AsyncIterator[str]:
    """The address of a running server, without a slash at its end."""
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=server_context(certificate_file))
    try:
        yield f"https://127.0.0.1:{server.port}"
    finally:
        await server.close()
