"""Artifacts in a directory and in S3: the same bytes come back, or it is said why not."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bot.adapters.artifacts import artifacts_in
from bot.adapters.artifacts.stored import ArtifactsAway, NoArtifact, digest_of
from bot.ports import Artifacts


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="evidence")
        yield client


@pytest.fixture(params=["directory", "s3"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "directory":
        return artifacts_in(tmp_path / "artifacts")
    request.getfixturevalue("s3")
    return artifacts_in(tmp_path, bucket="evidence", prefix="socmon/")


def test_what_is_kept_comes_back(artifacts: Artifacts) -> None:
    """A second time is harmless; what was never kept, and what is no digest, is said."""
    digest = artifacts.keep(b"a picture")

    assert digest == artifacts.keep(b"a picture") == digest_of(b"a picture")
    assert artifacts.read(digest) == b"a picture"
    with pytest.raises(NoArtifact, match="is not kept at"):
        artifacts.read(digest_of(b"another"))
    with pytest.raises(NoArtifact, match="no digest"):
        artifacts.read("sha256:../../etc/passwd")


def test_what_was_changed_is_never_returned(tmp_path: Path, s3: Any) -> None:
    for kept in (artifacts_in(tmp_path), artifacts_in(tmp_path, bucket="evidence")):
        digest = kept.keep(b"a picture")
        name = digest.removeprefix("sha256:")
        (tmp_path / name[:2] / name).write_bytes(b"another")
        s3.put_object(Bucket="evidence", Key=f"{name[:2]}/{name}", Body=b"another")
        with pytest.raises(NoArtifact, match="changed or damaged"):
            kept.read(digest)
        kept.keep(b"a picture")
        assert kept.read(digest) == b"a picture", "kept anew it is whole"


def test_an_answer_that_breaks_off_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Half(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"a pic")

    server = HTTPServer(("127.0.0.1", 0), Half)
    Thread(target=server.serve_forever, daemon=True).start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(ArtifactsAway, match="does not answer get_object"):
        artifacts_in(tmp_path, bucket="evidence").read(digest_of(b"a picture"))
    server.shutdown()
    server.server_close()


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path, s3: Any) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactsAway, match="takes no file"):
        artifacts_in(tmp_path / "file").keep(b"x")
    with pytest.raises(ArtifactsAway, match="s3://nowhere/ does not answer put_object"):
        artifacts_in(tmp_path, bucket="nowhere").keep(b"x")
    assert s3.list_objects_v2(Bucket="evidence")["KeyCount"] == 0


def test_files_are_socmons_own(tmp_path: Path) -> None:
    digest = artifacts_in(tmp_path).keep(b"x").removeprefix("sha256:")
    assert (tmp_path / digest[:2] / digest).stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.rglob("*"))) == 2
