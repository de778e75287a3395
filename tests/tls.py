"""Servers with TLS on loopback, whose authority only those trust who are told so (SSL_CERT_FILE)."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


def server_context(certificate_file: Path) -> ssl.SSLContext:
    """For a server at 127.0.0.1; its certificate, which is its own authority, is written to the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate_file.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    key_file = certificate_file.with_suffix(".key")
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context


@asynccontextmanager
async def tls_server(application: web.Application, certificate_file: Path) -> AsyncIterator[str]:
    """The address of a running server, without a slash at its end."""
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=server_context(certificate_file))
    try:
        yield f"https://127.0.0.1:{server.port}"
    finally:
        await server.close()
