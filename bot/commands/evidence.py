"""`socmon evidence`: check the log against its signed checkpoints, and the records against the log."""

from collections.abc import Sequence
from pathlib import Path

from bot.adapters.database.evidence import LogReader, log_origin
from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.verify import verify_log
from bot.adapters.system import SystemClock
from bot.commands.records import existing_database
from bot.domain.errors import WrongSettings
from bot.settings import Settings


def verify_evidence(settings: Settings, *, vkey: str | None, kept: Sequence[Path], as_json: bool) -> int:
    """Exit code 0: the log is whole; 1: it was changed; 3: whole, and less is kept than once was."""
    with existing_database(settings) as engine:
        key = vkey or LogKey.open(settings.log_key_file, log_origin(engine), create=False).vkey
        outside = [_read(path) for path in kept]
        report = verify_log(LogReader(engine), key, now=SystemClock().now(), kept=outside)
    print(report.to_json() if as_json else report.to_text())
    return report.exit_code


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongSettings(
            f"The checkpoint {path} cannot be read ({error.strerror}). Correct the path."
        ) from error
