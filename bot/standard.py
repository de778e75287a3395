"""How the written standard is read: the file that ships with socmon, and over it the one that `[coverage]` names."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model, model_validator

from bot.domain.alert import Severity
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.errors import WrongSettings
from bot.domain.monitor import Comparator
from bot.domain.scope import Criticality
from bot.domain.standard import Rule, Standard
from bot.settings import Table, explain, read_toml

SHIPPED = Path(__file__).with_suffix(".toml")

_COMPARATORS = {
    "above": Comparator.ABOVE,
    "at_least": Comparator.AT_LEAST,
    "below": Comparator.BELOW,
    "at_most": Comparator.AT_MOST,
}


class RuleTable(Table):
    """One rule, as in `{ above = 85, minutes = 5 }`."""

    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    at_most: Decimal | None = None
    absent: bool = False
    reports_only: bool = False
    minutes: float = Field(0, gt=0, le=24 * 60, validate_default=False)
    no_data: bool = False

    @property
    def _thresholds(self) -> dict[str, Decimal]:
        return {name: value for name in _COMPARATORS if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if len(self._thresholds) + self.absent + self.reports_only != 1:
            raise ValueError(f"a rule has exactly one of {', '.join(_COMPARATORS)}, absent and reports_only")
        if not self.reports_only and not self.minutes:
            raise ValueError("a rule says within how many `minutes` it has to fire")
        return self

    def rule(self) -> Rule | None:
        """None where reporting is enough."""
        if self.reports_only:
            return None
        name, threshold = next(iter(self._thresholds.items()), ("", None))
        return Rule(
            comparator=_COMPARATORS.get(name, Comparator.ABSENT),
            threshold=threshold,
            window=timedelta(minutes=self.minutes),
            no_data=self.no_data,
        )


class SeverityTable(Table):
    """`[severity.host]`: the mildest severity by criticality."""

    high: Severity | None = None
    medium: Severity | None = None
    low: Severity | None = None

    def severities(self) -> dict[Criticality, Severity]:
        named = {each: getattr(self, each.value) for each in Criticality}
        return {each: severity for each, severity in named.items() if severity is not None}


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _model(name: str, fields: Mapping[Any, Any]) -> Any:
    return create_model(name, __base__=Table, **{str(each): field for each, field in fields.items()})


_Rules = Annotated[list[RuleTable], BeforeValidator(_as_list)]
_KINDS: dict[str, Any] = {
    kind.value: (
        _model(f"{kind.value.title()}Table", dict.fromkeys(MEASURES[kind], (_Rules, []))),
        Field(default_factory=dict, validate_default=True),
    )
    for kind in Kind
}
_Severities: Any = _model(
    "SeveritiesTable", dict.fromkeys(["default", *Kind], (SeverityTable, SeverityTable()))
)


class _Document(Table):
    owner: str = ""
    approved_by: str = ""
    reviewed: date | None = None
    severity: _Severities = _Severities()


StandardFile: type[BaseModel] = create_model("StandardFile", __base__=_Document, **_KINDS)


def read_standard(path: Path | None) -> Standard:
    """The standard in force. Raises WrongSettings, naming the nearest known key of an unknown one."""
    shipped = _parse(read_toml(SHIPPED, "The shipped standard"), SHIPPED)
    if path is None:
        return _standard(shipped, shipped)
    return _standard(_parse(read_toml(path, "[coverage] standard"), path), shipped)


def _parse(table: Mapping[str, Any], path: Path) -> Any:
    try:
        return StandardFile.model_validate(table)
    except ValidationError as error:
        said = "\n".join(explain(one, StandardFile, "that file") for one in error.errors())
        raise WrongSettings(f"The standard in {path} cannot be used. {said}") from error


def _standard(own: Any, shipped: Any) -> Standard:
    return Standard(
        rules={kind: _rules(kind, own, shipped) for kind in Kind},
        severities={kind: _severities(kind, own, shipped) for kind in Kind},
        owner=own.owner,
        approved_by=own.approved_by,
        reviewed=own.reviewed,
    )


def _rules(kind: Kind, own: Any, shipped: Any) -> dict[Measure, tuple[Rule, ...]]:
    def alternatives(measure: Measure) -> tuple[Rule, ...]:
        tables = getattr(getattr(own, kind), measure) or getattr(getattr(shipped, kind), measure)
        rules = [table.rule() for table in tables]
        return () if None in rules else tuple(rule for rule in rules if rule)

    return {measure: alternatives(measure) for measure in MEASURES[kind]}


def _severities(kind: Kind, own: Any, shipped: Any) -> dict[Criticality, Severity]:
    found: dict[Criticality, Severity] = {}
    for table in (shipped.severity, own.severity):
        found |= table.default.severities()
    for table in (shipped.severity, own.severity):
        found |= getattr(table, kind).severities()
    return found
