"""The approved inventory as people keep it: YAML, CSV, or the state that Terraform keeps; and what is to be deployed.

A file is read whole or not at all: every problem is named with its line and its mend.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bot.adapters.inventory.csv_file import read_csv
from bot.adapters.inventory.rows import Problem, Row, WrongInventory, components
from bot.adapters.inventory.terraform import read_terraform
from bot.adapters.inventory.terraform_plan import read_plan
from bot.adapters.inventory.yaml_file import read_yaml
from bot.domain.component import Identity
from bot.domain.deployment import Deployment, Part, Proposed
from bot.domain.errors import WrongSettings
from bot.domain.scope import InScope

MOST_BYTES = 200 * 1024 * 1024
READERS = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".csv": read_csv,
    ".tfstate": read_terraform,
    ".json": read_terraform,
}


def read_file(path: Path, *, mend: str) -> bytes:
    """A file that somebody names. Raises WrongSettings; `mend` says what to do with one that is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WrongSettings(f"{path} cannot be read ({error.strerror}). Correct the path.") from error
    if len(content) > MOST_BYTES:
        raise WrongSettings(f"{path} is larger than {MOST_BYTES >> 20} MiB. {mend}")
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What files say is in scope; `unrated` are the keys of what they give no criticality.

    `skipped` is how many resources of Terraform are of kinds that socmon does not watch.
    """

    entries: tuple[InScope, ...]
    unrated: frozenset[str] = frozenset()
    skipped: int = 0


def read_inventory(files: Sequence[tuple[Path, bytes]]) -> Inventory:
    """All files together, by the ends of their names; raises WrongInventory, which names every problem."""
    problems: list[Problem] = []
    rows: list[Row] = []
    skipped = 0
    for path, content in files:
        reader = READERS.get(path.suffix.casefold())
        if reader is None:
            ends = ", ".join(sorted(READERS))
            problems.append(Problem(str(path), f"its name ends in none of {ends}. Rename it, or convert it."))
            continue
        found, passed, faults = reader(str(path), content)
        rows += found
        skipped += passed
        problems += faults
    entries, faults = components(rows)
    problems += faults
    problems += _doubled(zip(rows, entries, strict=True)) if not problems else []
    if not problems and not entries:
        problems.append(Problem(str(files[0][0]), "no component stands in it. Name at least one."))
    if problems:
        raise WrongInventory(problems)
    rated = zip(rows, entries, strict=True)
    unrated = frozenset(one.component.key for row, one in rated if not row.fields.get("criticality"))
    return Inventory(entries=tuple(entries), unrated=unrated, skipped=skipped)


def read_deployment(path: Path, content: bytes) -> Deployment:
    """What is to be deployed: `.json` is a plan of Terraform, all else a component list. Raises WrongInventory."""
    so = "Nothing was checked."
    digest = f"sha256:{sha256(content).hexdigest()}"
    if path.suffix.casefold() == ".json":
        plan, problems = read_plan(str(path), content, digest)
        if plan is None:
            raise WrongInventory(problems, so)
        return plan
    try:
        listed = read_inventory([(path, content)])
    except WrongInventory as wrong:
        raise WrongInventory(wrong.problems, so) from wrong
    return Deployment(
        source="component list",
        digest=digest,
        proposed=tuple(
            Proposed(address=one.component.name, item=one, part=Part.LISTED) for one in listed.entries
        ),
        skipped=listed.skipped,
    )


def _doubled(found: Iterable[tuple[Row, InScope]]) -> list[Problem]:
    """One component stands in an inventory once."""
    met: dict[Identity, Row] = {}
    problems = []
    for row, entry in found:
        for name in sorted(entry.component.identities):
            if name in met:
                stands = f"{name} stands at {met[name].where} already."
                mend = (
                    "Remove one of the two; if they are two, give each an identity of its own (its ARN, say)."
                )
                problems.append(Problem(row.where, f"{stands} {mend}"))
                break
        met |= dict.fromkeys(entry.component.identities, row)
    return problems
