"""Debian's own Prometheus, run beside a test, and machines for it to scrape."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

from tests.processes import free_port, wait_until

# What a node_exporter says, as far as socmon reads it.
NODE = """\
node_cpu_seconds_total{{cpu="0",mode="idle"}} 100
node_cpu_seconds_total{{cpu="0",mode="user"}} 20
node_memory_MemAvailable_bytes 4e9
node_memory_MemTotal_bytes 8e9
node_filesystem_avail_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/"}} 5e9
node_filesystem_size_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/"}} 1e10
node_network_receive_bytes_total{{device="eth0"}} 1000
node_uname_info{{nodename="{name}",sysname="Linux"}} 1
"""


@contextmanager
def machine(name: str) -> Iterator[str]:
    """Its node_exporter's host:port."""

    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(NODE.format(name=name).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def running_prometheus(program: Path, folder: Path, config: str) -> Iterator[str]:
    port, log = free_port(), folder / "prometheus.log"
    (folder / "prometheus.yml").write_text(config)
    words = [
        str(program),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with log.open("wb") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{url}/-/ready"), what="Prometheus is ready", log=log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
