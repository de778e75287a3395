"""The `socmon` command. Each command imports what it needs when it runs, so that `socmon --help` answers at once."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    from bot.domain.errors import SocmonError  # noqa: PLC0415

    try:
        code: int = options.run(options)
    except SocmonError as error:
        print(f"socmon: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="socmon", description="Runs the SOC 2 infrastructure-monitoring control from Slack."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="receive alerts and keep Slack in step")
    _listen(serve, port=8080)
    serve.set_defaults(run=_serve)

    play = commands.add_parser("playground", help="try everything in a local workspace, without Slack")
    _listen(play, port=3000)
    play.add_argument("--fresh", action="store_true", help="forget what was there and start anew")
    play.set_defaults(run=_playground)

    doctor = commands.add_parser(
        "doctor", help="check configuration, Slack, database and sources; exit 1 on faults"
    )
    doctor.add_argument("--offline", action="store_true", help="do not ask Slack")
    doctor.add_argument("--json", action="store_true", help="machine-readable findings")
    doctor.set_defaults(run=_doctor)

    status = commands.add_parser("status", help="how socmon and its sources are doing")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=_status)

    alerts = commands.add_parser("log", help="the alert log, as CSV or JSON")
    alerts.add_argument("which", nargs="?", default="7d", help="open, 7d (any number of days) or A-12")
    alerts.add_argument("--json", action="store_true", help="JSON instead of CSV")
    alerts.set_defaults(run=_log)

    about = "who is on call, how they are reached, and what is wrong with it"
    _ask_on_call(commands.add_parser("oncall", help=about))

    _ask_coverage(commands.add_parser("coverage", help="what is in scope and not covered; exit 1 on gaps"))

    boards = commands.add_parser("dashboards", help="what is looked at each week; exit 1 on a gap")
    boards.add_argument("--available", action="store_true", help="ask the tools which dashboards they have")
    boards.add_argument("--json", action="store_true")
    boards.set_defaults(run=_dashboards)

    _ask_the_gate(commands.add_parser("check", help="would what is to be deployed be watched; exit 1 if not"))

    _ask_scope(commands.add_parser("scope", help="what is monitored on purpose: import, compare, export"))

    _ask_standard(
        commands.add_parser("standard", help="how strictly everything has to be watched; exit 1 if due")
    )

    jobs = commands.add_parser(
        "jobs", help="what the clock starts, and every week's validation; exit 1 when one is missing"
    )
    jobs.add_argument("--json", action="store_true")
    for name, about in (("from", "first"), ("to", "last")):
        words = f"the {about} day of the weeks to list; without it, the last year's"
        jobs.add_argument(f"--{name}", dest=about, type=date.fromisoformat, metavar="DATE", help=words)
    jobs.set_defaults(run=_jobs)

    manifest = commands.add_parser("manifest", help="the Slack app manifest (Socket Mode)")
    manifest.add_argument("--http", action="store_true", help="the HTTP form, for SOCMON_PUBLIC_URL")
    manifest.set_defaults(run=_manifest)

    database = commands.add_parser("db", help="the database").add_subparsers(required=True, metavar="COMMAND")
    upgrade = database.add_parser("upgrade", help="bring the schema up to date")
    upgrade.set_defaults(run=_upgrade)

    evidence = commands.add_parser("evidence", help="the evidence log").add_subparsers(
        required=True, metavar="COMMAND"
    )
    verify = evidence.add_parser(
        "verify", help="check the log against its checkpoints, the records against the log"
    )
    verify.add_argument("--vkey", help="the log's public key, as you noted it elsewhere")
    verify.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a signed checkpoint you kept"
    )
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=_verify)

    _ask_bench(commands.add_parser("bench", help="measure this machine"))
    return parser


def _ask_on_call(parser: argparse.ArgumentParser) -> None:
    words = "platform, fri 18:00, +3d; both, or none"
    parser.add_argument("words", nargs="*", metavar="TEAM or WHEN", help=words)
    parser.add_argument("--contacts", action="store_true", help="the escalation contact list, as CSV")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="write that list to a file, as PDF")
    parser.set_defaults(run=_oncall)


def _ask_coverage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="COMPONENT", help="a name, or an identity like host:web-1"
    )
    forms = parser.add_mutually_exclusive_group()
    for form, about in (
        ("json", "every cell as JSON"),
        ("csv", "every cell as CSV"),
        ("html", "a page with a heat map"),
    ):
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=about)
    parser.add_argument("--refresh", action="store_true", help="ask every tool now, once a minute at most")
    parser.set_defaults(run=_coverage, form="text")


def _ask_the_gate(parser: argparse.ArgumentParser) -> None:
    about = "a plan (`terraform show -json`) as .json, or a component list as .yaml or .csv"
    parser.add_argument("file", type=Path, metavar="FILE", help=about)
    parser.add_argument("--json", action="store_true", help="machine-readable verdict")
    parser.set_defaults(run=_check)


def _ask_scope(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_scope, act="show")
    acts = parser.add_subparsers(metavar="COMMAND")
    taking = acts.add_parser("import", help="take the approved inventory from YAML, CSV or Terraform's state")
    taking.add_argument("files", nargs="+", type=Path, metavar="FILE")
    taking.add_argument("--replace", action="store_true", help="what no file names leaves the scope")
    taking.add_argument("--dry-run", action="store_true", help="only show what would change")
    taking.set_defaults(act="import")
    compare = acts.add_parser(
        "diff", help="what changed since the last review, and what the tools see besides"
    )
    compare.add_argument("--since", type=int, metavar="REVISION", help="since this revision instead")
    compare.add_argument("--json", action="store_true")
    compare.set_defaults(act="diff")
    history = acts.add_parser("history", help="every revision, with its review")
    history.add_argument("--json", action="store_true")
    history.set_defaults(act="history")
    giving = acts.add_parser("export", help="the scope document, line by line beside what the tools see")
    forms = giving.add_mutually_exclusive_group()
    forms.add_argument("--csv", dest="form", action="store_const", const="csv", default="")
    forms.add_argument("--json", dest="form", action="store_const", const="json")
    giving.add_argument("--pdf", type=Path, metavar="FILE", help="write it to a file, as PDF")
    giving.set_defaults(act="export")


def _ask_standard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "which",
        nargs="?",
        choices=("show", "history"),
        default="show",
        help="history: every version, with its review",
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_standard)


def _ask_bench(parser: argparse.ArgumentParser) -> None:
    benches = parser.add_subparsers(required=True, metavar="WHAT")
    intake = benches.add_parser("intake", help="durable intake next to the same app with no store")
    intake.add_argument("--senders", type=int, default=64)
    intake.add_argument("--seconds", type=float, default=5)
    intake.add_argument("--rounds", type=int, default=3)
    intake.add_argument("--json", action="store_true")
    intake.set_defaults(run=_bench, what="intake")
    slack = benches.add_parser("slack", help="webhook to Slack: idle latency, and a storm of 60 alerts")
    slack.add_argument("--alerts", type=int, default=60)
    slack.add_argument("--json", action="store_true")
    slack.set_defaults(run=_bench, what="slack")
    coverage = benches.add_parser(
        "coverage", help="a large fleet: its assessment, the answer, memory; with goals"
    )
    coverage.add_argument("--components", type=int, nargs="+", default=[10_000, 100_000], metavar="NUMBER")
    coverage.add_argument("--json", action="store_true")
    coverage.set_defaults(run=_bench, what="coverage")


def _listen(parser: argparse.ArgumentParser, *, port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="port to listen on (default: %(default)s)")


def _settings() -> "Settings":
    from bot.providers import all_providers  # noqa: PLC0415
    from bot.settings import load_settings, read_environment  # noqa: PLC0415

    return load_settings(read_environment(), all_providers())


def _serve(options: argparse.Namespace) -> int:
    from bot.commands.serve import serve  # noqa: PLC0415

    return serve(_settings(), host=options.host, port=options.port)


def _playground(options: argparse.Namespace) -> int:
    from bot.commands.playground import playground  # noqa: PLC0415

    return playground(host=options.host, port=options.port, fresh=options.fresh)


def _doctor(options: argparse.Namespace) -> int:
    from bot.commands.doctor import run  # noqa: PLC0415

    return run(offline=options.offline, as_json=options.json)


def _status(options: argparse.Namespace) -> int:
    from bot.commands.status import print_status  # noqa: PLC0415

    return print_status(_settings(), as_json=options.json)


def _log(options: argparse.Namespace) -> int:
    from bot.commands.log import print_log  # noqa: PLC0415

    return print_log(_settings(), options.which, as_json=options.json)


def _oncall(options: argparse.Namespace) -> int:
    from bot.commands.oncall import print_on_call  # noqa: PLC0415

    return print_on_call(_settings(), options.words, contacts=options.contacts, pdf=options.pdf)


def _coverage(options: argparse.Namespace) -> int:
    from bot.commands.coverage import print_coverage  # noqa: PLC0415

    settings = _settings()
    if options.refresh:
        from bot.commands.refresh import refresh  # noqa: PLC0415

        print(refresh(settings), file=sys.stderr)
    return print_coverage(settings, options.words, form=options.form)


def _check(options: argparse.Namespace) -> int:
    from bot.commands.check import check  # noqa: PLC0415

    return check(_settings(), options.file, as_json=options.json)


def _scope(options: argparse.Namespace) -> int:
    from bot.commands import scope  # noqa: PLC0415

    match options.act:
        case "import":
            given = {"replacing": options.replace, "dry_run": options.dry_run}
            return scope.import_files(_settings(), options.files, **given)
        case "diff":
            return scope.print_differences(_settings(), since=options.since, as_json=options.json)
        case "history":
            return scope.print_history(_settings(), as_json=options.json)
        case "export":
            return scope.export(_settings(), form=options.form, pdf=options.pdf)
        case _:
            return scope.print_scope(_settings())


def _standard(options: argparse.Namespace) -> int:
    from bot.commands import standard  # noqa: PLC0415

    shown = standard.print_history if options.which == "history" else standard.print_standard
    return shown(_settings(), as_json=options.json)


def _dashboards(options: argparse.Namespace) -> int:
    from bot.commands.dashboards import print_available, print_dashboards  # noqa: PLC0415

    show = print_available if options.available else print_dashboards
    return show(_settings(), as_json=options.json)


def _jobs(options: argparse.Namespace) -> int:
    from bot.commands.jobs import print_jobs  # noqa: PLC0415

    return print_jobs(_settings(), as_json=options.json, first=options.first, last=options.last)


def _manifest(options: argparse.Namespace) -> int:
    from bot.commands.manifest import print_manifest  # noqa: PLC0415

    return print_manifest(http=options.http)


def _upgrade(_options: argparse.Namespace) -> int:
    from bot.commands.db import upgrade_database  # noqa: PLC0415

    return upgrade_database(_settings())


def _verify(options: argparse.Namespace) -> int:
    from bot.commands.evidence import verify_evidence  # noqa: PLC0415

    return verify_evidence(_settings(), vkey=options.vkey, kept=options.checkpoint, as_json=options.json)


def _bench(options: argparse.Namespace) -> int:
    from bot.commands.bench import run  # noqa: PLC0415

    return run(options)


if __name__ == "__main__":
    sys.exit(main())
