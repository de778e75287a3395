"""The commands as a person runs them: exit codes, and words that say what to do."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.database.lock import SingleProcess
from bot.adapters.evidence.keys import LogKey
from bot.cli import main
from bot.commands.refresh import CLEAR, Bar
from bot.domain.dashboard import Capture, Dashboard
from bot.domain.scope import Change, Difference
from bot.domain.slot import Rhythm
from bot.procedures.assess_coverage import compare, keep, keep_part
from bot.procedures.check_on_call import take_roster
from bot.procedures.receive_alert import receive_alert
from bot.procedures.review_dashboards import choose, keep_capture
from bot.procedures.review_standard import take_standard
from bot.procedures.seal_log import seal_log
from bot.procedures.show_alert import report_problem
from bot.procedures.validate_monitoring import take_rhythm
from tests.fleets import STANDARD, in_scope, look
from tests.plans import function, plan
from tests.reports import LEAD, delivery, report
from tests.rosters import person, roster
from tests.world import ORIGIN, ROUTES, Ledger

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


Socmon = Callable[..., Done]


@pytest.fixture
def socmon(data: Path, monkeypatch: pytest.MonkeyPatch) -> Socmon:
    """Runs `socmon …` on the data folder, with these settings and no others."""

    def run(*words: str, **environ: str) -> Done:
        out, err = StringIO(), StringIO()
        with monkeypatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            patched.setenv("SOCMON_DATA_DIR", str(data))
            for name, value in environ.items():
                patched.setenv(name, value)
            try:
                code = main(words)
            except SystemExit as end:
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    return run


def lived_in(data: Path) -> LogKey:
    """A database with one alert, a signed log, and its key."""
    data.mkdir()
    key = LogKey.open(data / "log.key", ORIGIN)
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)
    ledger.write(seal_log, seal=key)
    ledger.database.close()
    return key


VENDORS = ("boto3", "botocore", "datadog_api_client", "pagerduty", "slack_sdk", "slack_bolt", "psycopg")
HEAVY = ("sqlalchemy", "alembic", "aiohttp", "pydantic", "starlette", "cryptography", "apscheduler")


@pytest.mark.parametrize("words", [["--help"], ["evidence", "verify", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """It answers at once, also on a small machine."""
    script = (
        "import sys\nfrom bot.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print('loaded:', ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    helped, _, loaded = done.stdout.partition("loaded:")

    assert "usage: socmon" in helped
    assert set(loaded.split()) & {*VENDORS, *HEAVY} == set()


def test_help_names_every_command(socmon: Socmon) -> None:
    """What the handbook promises is there."""
    helped = socmon("--help").stdout

    for command in (
        "serve",
        "playground",
        "doctor",
        "status",
        "oncall",
        "coverage",
        "check",
        "scope",
        "test-alert",
        "jobs",
        "manifest",
        "db",
        "evidence",
        "bench",
    ):
        assert f"\n    {command}" in helped


@pytest.mark.parametrize("words", [[], ["fly"], ["db"], ["evidence", "burn"]], ids=" ".join)
def test_what_is_no_command_is_explained(socmon: Socmon, words: list[str]) -> None:
    """Exit code 2 and the usage, never a traceback."""
    done = socmon(*words)

    assert done.returncode == 2
    assert "usage: socmon" in done.stderr


@pytest.mark.parametrize(
    "words", [["status"], ["jobs"], ["evidence", "verify"], ["log"], ["oncall"], ["scope"]], ids=" ".join
)
def test_before_the_first_start_there_is_nothing_to_look_at(
    socmon: Socmon, data: Path, words: list[str]
) -> None:
    """Looking makes no database, and the message says what to do."""
    done = socmon(*words)

    assert done.returncode == 2
    assert "There is no database at" in done.stderr
    assert "SOCMON_DATA_DIR" in done.stderr
    assert not data.exists()


@pytest.mark.parametrize(
    "words", [["status"], ["jobs"], ["evidence", "verify"], ["db", "upgrade"]], ids=" ".join
)
def test_a_database_out_of_reach_is_explained(socmon: Socmon, tmp_path: Path, words: list[str]) -> None:
    """One line that says what and how to mend it; no traceback, no password."""
    url = "postgresql+psycopg://socmon:hunter2@127.0.0.1:9/socmon"
    done = socmon(*words, SOCMON_DATABASE_URL=url, SOCMON_LOG_KEY_FILE=str(tmp_path / "log.key"))

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "SOCMON_DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_that_is_no_database_is_explained(socmon: Socmon, data: Path) -> None:
    """Something else lies there."""
    data.mkdir()
    (data / "socmon.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)

    done = socmon("status")

    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def set_schema(data: Path, revision: str) -> None:
    with sqlite3.connect(data / "socmon.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()


def test_a_database_of_an_older_version_says_what_to_run(socmon: Socmon, data: Path) -> None:
    """Those that only look change nothing."""
    lived_in(data)
    set_schema(data, "0001")

    done = socmon("status")

    assert (done.returncode, "socmon db upgrade" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [["status"], ["db", "upgrade"]], ids=" ".join)
def test_a_database_of_a_newer_version_is_left_alone(socmon: Socmon, data: Path, words: list[str]) -> None:
    """After a step back to the old version: which one is needed, and no traceback."""
    lived_in(data)
    set_schema(data, "9999")

    done = socmon(*words)

    assert done.returncode == 2
    assert "A newer socmon has upgraded this database to schema 9999" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_upgrade_beside_a_server_on_sqlite_is_refused(socmon: Socmon, data: Path) -> None:
    """The server has upgraded it at its start; and nothing of the log changes under it."""
    socmon("db", "upgrade", SOCMON_LOG_ORIGIN="acme.example/prod")
    held = SingleProcess(data / "socmon.db")

    done = socmon("db", "upgrade", SOCMON_LOG_ORIGIN="acme.example/other")
    held.release()

    assert (done.returncode, "Another socmon" in done.stderr) == (2, True)
    assert "acme.example/prod" in socmon("db", "upgrade").stdout


def test_an_upgrade_beside_servers_on_postgresql_renames_no_log(
    socmon: Socmon, postgres_url: str, tmp_path: Path
) -> None:
    """In a shell that lacks the servers' variables, while nothing is logged yet: they sign by the stored name."""
    shared = {"SOCMON_DATABASE_URL": postgres_url, "SOCMON_LOG_KEY_FILE": str(tmp_path / "log.key")}
    socmon("db", "upgrade", SOCMON_LOG_ORIGIN="acme.example/prod", **shared)

    again = [socmon("db", "upgrade", SOCMON_LOG_ORIGIN=name, **shared) for name in ("", "acme.example/other")]

    assert [(done.returncode, "acme.example/prod" in done.stdout) for done in again] == [(0, True)] * 2


def test_what_socmon_writes_is_for_its_account_alone(socmon: Socmon, data: Path) -> None:
    """Whole deliveries lie there, with whatever secrets the tools put into them."""
    before = os.umask(0o022)
    try:
        socmon("db", "upgrade")
        held = SingleProcess(data / "socmon.db")
        ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
        ledger.write(receive_alert, delivery(report()), routes=ROUTES)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.iterdir()]}
    finally:
        os.umask(before)
    ledger.database.close()
    held.release()

    assert modes.pop("data") == 0o700
    assert {"socmon.db", "socmon.db.lock"} < set(modes)
    assert set(modes.values()) == {0o600}


def test_a_new_database_is_made_and_looked_at(socmon: Socmon) -> None:
    """`db upgrade` twice, then status and jobs: nothing has happened yet, and that is said."""
    upgraded = [socmon("db", "upgrade") for _ in range(2)]
    status, jobs = socmon("status"), socmon("jobs")

    assert [done.returncode for done in (*upgraded, status, jobs)] == [0, 0, 0, 0], (
        status.stderr + jobs.stderr
    )
    assert "localhost/socmon" in upgraded[1].stdout
    assert "all is well" in status.stdout
    assert "0 entries, last checkpoint never" in status.stdout
    assert jobs.stdout.count("never ran") == jobs.stdout.count(" next ") > 2


def test_status_and_jobs_are_readable_by_machines(socmon: Socmon, data: Path) -> None:
    """JSON with times in ISO 8601."""
    lived_in(data)
    status, jobs = socmon("status", "--json"), socmon("jobs", "--json")

    told: dict[str, Any] = json.loads(status.stdout)
    assert (status.returncode, jobs.returncode) == (1, 0)
    assert (told["log_size"], told["lagging"]) == (1, 1)
    assert told["checkpoint_at"].startswith("2026-11-24T03:00:")
    assert {job["job"] for job in json.loads(jobs.stdout)["jobs"]} >= {
        "sign-checkpoint",
        "wake-alerts",
        "apply-retention",
    }


def test_every_week_of_a_period_is_listed(socmon: Socmon, data: Path) -> None:
    """Also those that nobody has put down; exit code 1 when one is missing."""
    lived_in(data)
    before = socmon("jobs", "--from", "2026-01-05", "--to", "2026-01-18")
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.clock.at = datetime(2026, 1, 5, tzinfo=UTC)
    ledger.write(take_rhythm, Rhythm())
    ledger.database.close()

    told = socmon("jobs", "--from", "2026-01-05", "--to", "2026-01-18", "--json")

    assert (before.returncode, told.returncode) == (0, 1)
    assert "2026-W02  due 2026-01-16 17:00Z  before socmon began" in before.stdout
    weeks = json.loads(told.stdout)["weeks"]
    assert [(week["week"], week["verdict"]) for week in weeks] == [
        ("2026-W02", "missed"),
        ("2026-W03", "missed"),
    ]


def test_status_says_what_needs_a_look(socmon: Socmon, data: Path) -> None:
    """Exit code 1, for a monitoring script."""
    lived_in(data)
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.write(report_problem, "slack:token", "Slack refuses our token. Mend: reinstall the app.")
    ledger.database.close()

    done = socmon("status")

    assert done.returncode == 1
    assert "PROBLEM  slack:token" in done.stdout
    assert "1 threads behind since" in done.stdout


def test_who_is_on_call_is_told_at_the_terminal(socmon: Socmon, data: Path) -> None:
    """With exit code 1 when something is to be mended; and the contact list, for a file."""
    lived_in(data)
    unknown = socmon("oncall")
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.write(take_roster, roster(), complete=True)
    ledger.database.close()
    well = socmon("oncall", "platform", "+1d")
    listed = socmon("oncall", "--contacts", "--pdf", str(data / "contacts.pdf"))
    nowhere = socmon("oncall", "--pdf", str(data / "no-folder" / "contacts.pdf"))
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.write(take_roster, roster(people=(person(methods=()), person("PKIM"))), complete=True)
    ledger.database.close()
    faulty = socmon("oncall")

    assert (unknown.returncode, well.returncode, listed.returncode, faulty.returncode) == (2, 0, 0, 1)
    assert "does not know yet who is on call" in unknown.stderr
    assert "1. Sam <sam@example.com>: phone …4711 after 0 min" in well.stdout
    assert "2. Kim" in well.stdout
    assert "never been reviewed" in well.stdout
    assert (data / "contacts.pdf").read_bytes().startswith(b"%PDF-")
    assert (nowhere.returncode, "Name another file" in nowhere.stderr) == (2, True)
    assert listed.stdout.splitlines()[1].startswith('"20')
    assert "✗ Sam has no contact method, so nothing rings." in faulty.stdout
    assert "no team" in socmon("oncall", "dato").stderr


INVENTORY = """\
- {name: web-1, kind: host, owner: shop, criticality: high}
- {name: shop-db, kind: database}
"""


def test_the_inventory_is_imported_at_the_terminal(socmon: Socmon, data: Path, tmp_path: Path) -> None:
    """All or nothing, beside a server; a dry run changes nothing; the document can be taken out as a file."""
    key = lived_in(data)
    file, more, same = tmp_path / "inventory.yaml", tmp_path / "more.csv", tmp_path / "b" / "more.csv"
    file.write_text(INVENTORY)
    nothing = socmon("scope")
    dry = socmon("scope", "import", str(file), "--dry-run")
    server = SingleProcess(data / "socmon.db")
    done = socmon("scope", "import", str(file))
    server.release()
    again = socmon("scope", "import", str(file))
    more.write_text("name,kind\nweb-2,hots\n")
    refused = socmon("scope", "import", str(file), str(more))
    more.write_text("name,kind,owner\nweb-1,host,ops\n")
    same.parent.mkdir()
    same.write_text("name,kind\nshop,cache\n")
    replaced = socmon("scope", "import", str(more), str(same), "--replace")
    listed = socmon("scope", "export", "--csv", "--pdf", str(data / "scope.pdf"))
    told = socmon("scope")
    diff, history = socmon("scope", "diff", "--json", "--since", "1"), socmon("scope", "history", "--json")

    assert (nothing.returncode, "No component is in scope yet" in nothing.stderr) == (2, True)
    assert (dry.returncode, dry.stdout.splitlines()[-1]) == (
        0,
        "nothing was imported: 2 added, 0 removed, 0 changed",
    )
    assert done.stdout.splitlines() == [
        "+ web-1 (host, host:web-1), owner shop, high",
        "+ shop-db (database, name:database/shop-db), owner nobody, medium",
        "revision 1: 2 added, 0 removed, 0 changed. A lead has to review it: /socmon scope review",
    ]
    assert "nothing changed" in again.stdout
    assert (refused.returncode, "more.csv:2: “hots” is no kind" in refused.stderr) == (2, True)
    assert "1 removed, 1 changed" in replaced.stdout
    assert '"web-1"' in listed.stdout
    assert (data / "scope.pdf").read_bytes().startswith(b"%PDF-")
    assert (told.returncode, "✗ The scope has never been reviewed." in told.stdout) == (1, True)
    found = json.loads(diff.stdout)
    assert found["changed"] == {"host:web-1": ["owner shop → ops"]}
    assert (found["removed"], found["not_seen"]) == (
        ["name:database/shop-db"],
        ["host:web-1", "name:cache/shop"],
    )
    assert [one["revision"] for one in json.loads(history.stdout)] == [2, 1]
    assert socmon("scope", "history").stdout.startswith("    2  20")
    assert socmon("scope", "export", "--json").stdout.startswith("[")
    assert "cannot be read" in socmon("scope", "import", str(tmp_path / "none.yaml")).stderr
    assert json.loads(socmon("evidence", "verify", "--json", "--vkey", key.vkey).stdout)["verdict"] == "ok"


def test_what_is_to_be_deployed_is_checked(socmon: Socmon, data: Path, tmp_path: Path) -> None:
    """0 when all is well, 1 when something would not be watched, 2 when the file cannot be used; nothing is changed."""
    good, bad, wrong = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "components.csv"
    good.write_bytes(plan())
    bad.write_bytes(plan(function()))
    wrong.write_text("name,kind\nweb-1,hots\n")
    before_the_start = socmon("check", str(good))
    lived_in(data)

    fine, failed = socmon("check", str(good)), socmon("check", str(bad))
    document = json.loads(socmon("check", str(bad), "--json").stdout)
    refused, missing = socmon("check", str(wrong)), socmon("check", str(tmp_path / "none.json"))

    assert [each.returncode for each in (before_the_start, fine, failed, refused, missing)] == [2, 0, 1, 2, 2]
    assert fine.stdout == "passed: 0 components, 0 of them would be unmonitored; 0 would lose coverage\n"
    assert "✗ aws_lambda_function.pay (function) errors: No monitor watches its errors." in failed.stdout
    assert document["passed"] is False
    assert document["components"][0]["measures"][0]["state"] == "gap"
    assert "“hots” is no kind. Did you mean “host”?" in refused.stderr
    assert refused.stderr.endswith("Nothing was checked.\n")
    assert "cannot be read" in missing.stderr


def test_evidence_is_verified(socmon: Socmon, data: Path) -> None:
    """0 while it is whole; 1 when a word was changed; the keeper's own public key may be given."""
    key = lived_in(data)
    whole = socmon("evidence", "verify", "--vkey", key.vkey)
    with sqlite3.connect(data / "socmon.db") as connection:
        connection.execute("UPDATE disclosure SET value = 'Another title' WHERE path = 'title'")
    connection.close()
    changed = socmon("evidence", "verify", "--json")

    assert (whole.returncode, changed.returncode) == (0, 1)
    assert whole.stdout.startswith(f"{ORIGIN}: ok")
    assert json.loads(changed.stdout)["verdict"] == "wrong"


def test_evidence_of_nothing_is_never_ok(socmon: Socmon, data: Path) -> None:
    """An empty log proves nothing, and a missing key is named."""
    socmon("db", "upgrade")
    without_key = socmon("evidence", "verify")
    LogKey.open(data / "log.key", "localhost/socmon")
    empty = socmon("evidence", "verify")

    assert (without_key.returncode, "log.key" in without_key.stderr) == (2, True)
    assert empty.returncode == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--vkey", "nonsense"], "nonsense"), (["--checkpoint", "/nowhere/cp.note"], "/nowhere/cp.note")],
    ids=["vkey", "checkpoint"],
)
def test_what_verify_is_given_is_checked(socmon: Socmon, data: Path, words: list[str], said: str) -> None:
    """A mistyped key or path is a message, not a traceback."""
    lived_in(data)

    done = socmon("evidence", "verify", *words)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert said in done.stderr


def test_the_manifest_is_printed(socmon: Socmon) -> None:
    """For Socket Mode, and for HTTP with the public address."""
    plain = socmon("manifest")
    over_http = socmon("manifest", "--http", SOCMON_PUBLIC_URL="https://soc.example.com")
    without_address = socmon("manifest", "--http")

    assert (plain.returncode, over_http.returncode, without_address.returncode) == (0, 0, 2)
    assert "socket_mode_enabled: true" in plain.stdout
    assert "https://soc.example.com/slack/events" in over_http.stdout
    assert "SOCMON_PUBLIC_URL" in without_address.stderr


def test_a_wrong_configuration_is_explained(socmon: Socmon, tmp_path: Path) -> None:
    """By every command, in one message."""
    config = tmp_path / "socmon.toml"
    config.write_text("[slak]\n")
    for words in (["status"], ["serve"], ["db", "upgrade"]):
        done = socmon(*words, SOCMON_CONFIG=str(config))
        assert (done.returncode, 'Did you mean "slack"?' in done.stderr) == (2, True)


def test_a_second_server_on_one_sqlite_is_refused(data: Path) -> None:
    """While the first one runs."""
    held = SingleProcess(data / "socmon.db")
    command = [sys.executable, "-m", "bot.cli", "serve", "--port", "0"]
    environ = {"SOCMON_DATA_DIR": str(data)}
    done = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    held.release()

    assert (done.returncode, "Another socmon" in done.stderr) == (2, True)


def test_a_stop_ends_whatever_hangs() -> None:
    """Some thread never comes back: after the agreed time the process ends all the same, and says so."""
    script = """
import signal, threading, time, types, uvicorn
from bot.commands import serve
from bot.logs import set_up_logging
set_up_logging()
serve.STOP_SECONDS = 0.2
threading.Thread(target=time.sleep, args=(50,)).start()
socmon = types.SimpleNamespace(draining=False)
serve._Server(uvicorn.Config(None), socmon, lambda: None).handle_exit(signal.SIGTERM, None)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.returncode, "did not stop within 0.2 s" in done.stderr) == (1, True)


def test_coverage_is_shown_in_every_form(socmon: Socmon, data: Path) -> None:
    """Every cell that is in scope, with its reason; a gap is an exit code for a pipeline."""
    assert socmon("coverage").returncode == 2
    lived_in(data)
    assert "not been assessed yet" in socmon("coverage").stderr
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    entries = {"host:web-1": in_scope(), "host:web-2": in_scope("web-2")}
    added = Difference(added=tuple(entries.values()))
    ledger.write(lambda records: records.add_revision(Change.IMPORTED, added, by="U1LEAD"))
    found = look(*entries.values())
    change = compare(found, [], standard=STANDARD, scope=1, after=None)
    for part in change.parts():
        ledger.write(keep_part, part)
    ledger.write(keep, change.summary, [])
    ledger.database.close()

    text, table, page = socmon("coverage"), socmon("coverage", "--csv"), socmon("coverage", "--html")
    document = json.loads(socmon("coverage", "--json").stdout)
    good = socmon("coverage", "web-1")

    assert text.returncode == 1
    assert "10 cells: 5 covered, 5 gap" in text.stdout
    assert "✗ host:web-2 cpu: No tool collects its cpu" in text.stdout
    assert len(table.stdout.splitlines()) == 11
    assert [cell["state"] for cell in document["cells"]] == ["covered"] * 5 + ["gap"] * 5
    assert "<svg " in page.stdout
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, "5 cells: 5 covered")
    assert "Nothing in scope is called" in socmon("coverage", "web-9").stderr


def test_tools_are_asked_from_the_terminal(socmon: Socmon, data: Path) -> None:
    """Once a minute at most, beside a server, whose ledger has the run."""
    lived_in(data)

    asked, again = (socmon("coverage", "--refresh") for _ in range(2))

    assert "nothing is in scope yet" in asked.stderr
    assert "were within this minute" in again.stderr or "nothing is in scope yet" in again.stderr
    runs = {run["job"]: run for run in json.loads(socmon("jobs", "--json").stdout)["jobs"]}
    assert "by a command" in runs["collect-coverage"]["detail"]


def test_a_bar_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    shown = []
    for stream in (Terminal(), StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with Bar(2) as bar:
            bar.step("Datadog: metrics")
            bar.say("! The token is dead.")
        shown.append(stream.getvalue())

    assert f"[{'#' * 12}{'-' * 12}] 1/2 Datadog: metrics" in shown[0]
    assert shown[0].endswith(CLEAR)
    assert shown[1] == "! The token is dead.\n"


def test_the_standard_and_its_versions_are_told(socmon: Socmon, data: Path) -> None:
    """Every rule, what is due, and what was in force; the file's own text counts before the next start."""
    lived_in(data)
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    ledger.write(take_standard, STANDARD)
    ledger.database.close()

    shown, history = socmon("standard"), json.loads(socmon("standard", "history", "--json").stdout)

    assert shown.returncode == 1
    assert "host cpu: > 85% for 5 min\n" in shown.stdout
    assert "not in force yet" in shown.stdout
    assert "✗ The standard has never been reviewed." in shown.stdout
    assert [one["version"] for one in history] == [None, 1]
    assert "cache cpu: none → > 85% for 5 min" in history[0]["changes"]


def test_dashboards_are_a_gap_until_they_are_captured(socmon: Socmon, data: Path) -> None:
    """Exit code 1 as long as none is chosen, or one has no picture."""
    data.mkdir()
    ledger = Ledger(f"sqlite:///{data / 'socmon.db'}")
    none = socmon("dashboards")
    board = Dashboard(provider="datadog", id="abc", title="prod-overview")
    ledger.write(choose, board, by=LEAD)
    missing = socmon("dashboards")
    now = ledger.clock.now()
    ledger.write(
        keep_capture, Capture(dashboard=board, at=now, start=now, end=now, picture="sha256:ab", size=9)
    )
    kept = socmon("dashboards", "--json")
    ledger.database.close()

    assert (none.returncode, missing.returncode, kept.returncode) == (1, 1, 0)
    assert "no dashboard is chosen" in none.stdout
    assert "datadog:abc  prod-overview: no picture yet" in missing.stdout
    assert json.loads(kept.stdout)[0]["capture"]["picture"] == "sha256:ab"
    assert socmon("dashboards", "--available").returncode == 0


def test_test_alerts_are_set_up_listed_and_put_on_record(socmon: Socmon, data: Path, tmp_path: Path) -> None:
    """What has to be made by hand is told, and no key is shown."""
    lived_in(data)
    config = tmp_path / "socmon.toml"
    tables = '[slack]\nalerts_channel = "C0ALERTS"\n[providers.pagerduty]\n'
    config.write_text(f'{tables}[providers.alertmanager]\nurl = "http://127.0.0.1:9"\n')
    environ = {"SOCMON_CONFIG": str(config), "SOCMON_PAGERDUTY_TEST_KEY": ""}
    bare = socmon("test-alert", "setup", **environ)
    whole = socmon(
        "test-alert", "setup", **environ | {"SOCMON_PAGERDUTY_TEST_KEY": "secret-of-a-test-service"}
    )
    listed = socmon("test-alert", **environ)
    strange = socmon("test-alert", "pigeon", **environ)

    assert (bare.returncode, whole.returncode) == (1, 0)
    assert "set SOCMON_PAGERDUTY_TEST_KEY to its integration key" in bare.stdout
    assert "Alertmanager: alertmanager" in bare.stdout
    assert "secret-of" not in whole.stdout
    assert "No path can be tested yet" in listed.stdout
    assert strange.returncode == 2
    assert "There is no path “pigeon”" in strange.stderr
