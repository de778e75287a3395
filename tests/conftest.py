"""What every test may ask for. No test sees the environment of the person or the machine that runs it."""

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

PRIVATE = ("AWS_", "DD_", "NEW_RELIC_", "PAGERDUTY_", "SLACK_", "SOCMON_")
FIXTURES = "SOCMON_FIXTURES"  # stays: the test processes that this one starts need it too

for name in [name for name in os.environ if name.startswith(PRIVATE) and name != FIXTURES]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = (
    "true"  # without credentials boto3 fails at once and asks no network
)

import psycopg  # noqa: E402 - only now, so that no import sees the old environment
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from psycopg import sql  # noqa: E402

from tests.postgres import NoPostgres, shared_server  # noqa: E402

# No deadline: a busy machine is not a bug.
settings.register_profile(
    "default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2000)
settings.load_profile("default")


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """Payloads of the vendors as they were received."""
    if not (folder := os.environ.get(FIXTURES)):
        pytest.skip(f"{FIXTURES} does not name a folder of recorded payloads")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium to drive."""
    return _program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """A real Alertmanager."""
    return _program("prometheus-alertmanager", "alertmanager")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """A real Prometheus."""
    return _program("prometheus")


def _program(*names: str) -> Path:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    for name in names:
        if found := shutil.which(name, path=path):
            return Path(found)
    pytest.skip(f"no {names[0]} here: `make test-rigs` tries to get one")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of a PostgreSQL server that all test processes share, up to the database's name."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "postgres"
    folder.mkdir(exist_ok=True)
    try:
        with shared_server(folder) as url:
            yield url
    except NoPostgres as error:
        pytest.skip(str(error))


_databases = count(1)


@pytest.fixture
def postgres_url(postgres_server: str, worker_id: str) -> Iterator[str]:
    """A new and empty database."""
    name = f"test_{worker_id}_{next(_databases)}"
    admin = postgres_server.replace("+psycopg", "") + "postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres_server + name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A new and empty database."""
    return f"sqlite:///{tmp_path / 'socmon.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs once on each database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
