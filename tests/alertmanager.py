"""Debian's own Alertmanager, run beside a test."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from tests.processes import free_port, wait_until

SECRET = "a-secret-of-alertmanagers-0123456789abcdef"
CONFIG = """\
route: {{receiver: socmon, group_by: [cluster], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: socmon
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: {secret}}}}}
"""


@contextmanager
def running_alertmanager(
    program: Path, folder: Path, bot_url: str, configuration: str = CONFIG
) -> Iterator[str]:
    port = free_port()
    config = folder / "alertmanager.yml"
    config.write_text(configuration.format(url=bot_url, secret=SECRET))
    words = [
        program,
        f"--config.file={config}",
        f"--storage.path={folder / 'am'}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [*map(str, words), f"--web.listen-address=127.0.0.1:{port}"], stderr=log, stdout=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _is_ready(url), what="Alertmanager is ready", log=folder / "alertmanager.log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(url: str) -> bool:
    try:
        urlopen(f"{url}/-/ready", timeout=5).close()
    except OSError:
        return False
    return True


def push(url: str, *hosts: str, ended: bool = False, name: str = "DiskFull") -> None:
    """Push alerts as Prometheus does."""
    start = datetime.now(UTC) - timedelta(minutes=1)
    end = {"endsAt": datetime.now(UTC).isoformat()} if ended else {}
    alerts = [
        {
            "labels": {"alertname": name, "cluster": "c1", "instance": host, "severity": "critical"},
            "annotations": {"summary": "The disk is nearly full"},
            "startsAt": start.isoformat(),
            **end,
        }
        for host in hosts
    ]
    body = json.dumps(alerts).encode()
    urlopen(
        Request(f"{url}/api/v2/alerts", data=body, headers={"Content-Type": "application/json"}), timeout=5
    ).close()
