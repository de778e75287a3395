"""What a deployment would do to coverage: which new components would be watched, and which lose what watches them.

Of a thing that is not there yet nobody can prove that it reports. So the gate asks whether it would alert and whom that
would reach; that its metrics arrive is looked at after the deployment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.component import Measure
from bot.domain.coverage import Cell, State
from bot.domain.evidence import Fact
from bot.domain.plan import Resource
from bot.domain.scope import InScope

MOST_NAMED = 100
"""Components that an entry of the log names; its figures are of all."""


class Phase(StrEnum):
    """Before the deployment it is a question; after it, a fact for the record."""

    PLANNED = "planned"
    DEPLOYED = "deployed"


class Part(StrEnum):
    """What a deployment does with a component."""

    NEW = "new"
    REPLACED = "replaced"
    RENAMED = "renamed"
    LISTED = "listed"  # it stands in a component list
    CHANGED = "changed"
    LEAVING = "leaving"

    @property
    def is_judged(self) -> bool:
        """Whether it has to be covered as something new; of what merely changes it counts what it loses."""
        return self not in {Part.CHANGED, Part.LEAVING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A component of a deployment. `address` is Terraform's (`aws_instance.web[3]`), or its name in a list."""

    address: str
    item: InScope
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is put before the gate. `source` is "terraform plan" or "component list", `digest` that of the file.

    `standing` are the components that it changes or takes away, as they are now; a renamed one leaves too, under its
    old name. `resources` are all that the plan manages, for the tools to find their monitors in; `skipped` is how many
    it touches that are no components.
    """

    source: str
    digest: str
    proposed: tuple[Proposed, ...]
    standing: tuple[Proposed, ...] = ()
    resources: tuple[Resource, ...] = ()
    skipped: int = 0

    @property
    def leaving(self) -> list[str]:
        """The addresses of what will be gone, and nothing takes its place."""
        return [one.address for one in self.standing if one.part is Part.LEAVING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a pipeline says of a deployment; "" where it does not."""

    phase: Phase
    commit: str = ""
    environment: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A component with what is wrong in each measure. `later` are the measures whose metrics an agent has to send.

    `excluded` is one that is left out of the scope on purpose, so that nothing is asked of it.
    """

    proposed: Proposed
    cells: tuple[Cell, ...]
    in_scope: bool
    excluded: bool = False
    later: tuple[Measure, ...] = ()

    @property
    def state(self) -> State:
        states = {cell.state for cell in self.cells}
        return next((worst for worst in (State.GAP, State.UNKNOWN) if worst in states), State.COVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer. `losing` are cells of what runs already that would no longer be watched, or routed."""

    deployment: Deployment
    at: datetime
    scope: int
    standard: str
    judged: tuple[Judged, ...]
    losing: tuple[Cell, ...]

    @property
    def unmonitored(self) -> int:
        return sum(one.state is not State.COVERED for one in self.judged)

    @property
    def passed(self) -> bool:
        return not self.unmonitored and not self.losing

    def says(self) -> Iterator[str]:
        """In words, for a terminal or the log of a pipeline: a line each."""
        for one in self.judged:
            yield from _told(one)
        for cell in self.losing:
            yield f"✗ {_named(cell.item)} would lose what watches its {cell.measure}: {_why(cell)}"
        for address in self.deployment.leaving:
            yield f"- {address} leaves; remove it from the scope afterwards"
        if self.deployment.skipped:
            yield f"{self.deployment.skipped} resources are of kinds that nobody monitors; they were left out"
        lost = len({cell.key for cell in self.losing})
        yield (
            f"{'passed' if self.passed else 'not passed'}: {len(self.judged)} components,"
            f" {self.unmonitored} of them would be unmonitored; {lost} would lose coverage"
        )

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "passed": self.passed,
            "source": self.deployment.source,
            "digest": self.deployment.digest,
            "scope_revision": self.scope,
            "standard": self.standard,
            "components": [_document(one) for one in self.judged],
            "losing": [
                {"component": cell.key, "name": cell.item.component.name} | _cell(cell)
                for cell in self.losing
            ],
            "leaving": self.deployment.leaving,
            "skipped": self.deployment.skipped,
            "says": list(self.says()),
        }

    def facts(self) -> dict[str, Fact]:
        """For the log: figures, and the components by their addresses; no value of the plan besides."""
        return {
            "passed": self.passed,
            "source": self.deployment.source,
            "digest": self.deployment.digest,
            "scope": self.scope,
            "standard": self.standard,
            "components": len(self.judged),
            "unmonitored": self.unmonitored,
            "losing": len(self.losing),
            "leaving": len(self.deployment.leaving),
            "verdicts": [_fact(one) for one in self.judged[:MOST_NAMED]],
            "lost": [f"{cell.key} {cell.measure}" for cell in self.losing[:MOST_NAMED]],
        }


def _told(one: Judged) -> Iterator[str]:
    name = f"{one.proposed.address} ({one.proposed.item.component.kind})"
    if one.excluded:
        yield f"· {name} is excluded from the scope, so nothing is asked of it"
        return
    for cell in one.cells:
        if cell.state is not State.COVERED:
            sign = "✗" if cell.state is State.GAP else "?"
            yield f"{sign} {name} {cell.measure}: {_why(cell)}"
    if one.state is State.COVERED:
        yield f"✓ {name} would be watched"
    if one.later:
        yield (
            f"! {name}: that {', '.join(one.later)} arrive is seen only after the deployment, since an agent or an"
            " add-on has to send them"
        )
    if not one.in_scope:
        yield f"! {name} is not in scope yet; add it to the inventory, or answer when socmon has found it"


def _named(item: InScope) -> str:
    return f"{item.component.name} ({item.component.kind})"


def _why(cell: Cell) -> str:
    return " ".join(f"{each.says} {each.mend}" for each in cell.shortfalls)


def _document(one: Judged) -> dict[str, Any]:
    component = one.proposed.item.component
    return {
        "component": one.proposed.address,
        "name": component.name,
        "kind": component.kind.value,
        "change": one.proposed.part.value,
        "state": "excluded" if one.excluded else one.state.value,
        "in_scope": one.in_scope,
        "seen_after_deployment": [each.value for each in one.later],
        "measures": [_cell(cell) for cell in one.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "measure": cell.measure.value,
        "state": cell.state.value,
        "monitor": f"{cell.monitor.provider}: {cell.monitor.name}" if cell.monitor else "",
        "why": [each.says for each in cell.shortfalls],
        "mend": [each.mend for each in cell.shortfalls],
    }


def _fact(one: Judged) -> Mapping[str, Fact]:
    wrong: Sequence[Fact] = [cell.measure.value for cell in one.cells if cell.state is not State.COVERED]
    return {
        "component": one.proposed.address,
        "kind": one.proposed.item.component.kind.value,
        "change": one.proposed.part.value,
        "state": "excluded" if one.excluded else one.state.value,
        "not_covered": wrong,
    }
