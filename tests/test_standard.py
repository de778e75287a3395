"""The written standard is read from its file, or refused in words that say what to correct."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.alert import Severity
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.errors import WrongSettings
from bot.domain.monitor import Comparator
from bot.domain.scope import Criticality
from bot.domain.standard import Rule, Standard
from bot.settings import load_settings
from bot.standard import read_standard

Read = Callable[[str], Standard]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def written(text: str) -> Standard:
        file = tmp_path / "standard.toml"
        file.write_text(text)
        return read_standard(file)

    return written


def test_the_shipped_standard_says_something_of_every_measure() -> None:
    standard = read_standard(None)

    said = {
        (kind, measure) for kind in Kind for measure in MEASURES[kind] if standard.alternatives(kind, measure)
    }
    every = {(kind, measure) for kind in Kind for measure in MEASURES[kind]}
    cpu = Rule(comparator=Comparator.ABOVE, threshold=Decimal(85), window=timedelta(minutes=5))
    assert {at for at in every - said if at[1] is not Measure.NETWORK} == {(Kind.VOLUME, Measure.DISK)}
    assert standard.alternatives(Kind.HOST, Measure.CPU) == (cpu,)
    assert standard.severity(Kind.HOST, Criticality.HIGH) is Severity.SEV2


def test_what_a_file_leaves_out_keeps_the_default(read: Read) -> None:
    standard = read(
        'owner = "Kim"\napproved_by = "Ana"\nreviewed = 2025-11-01\n[host]\ncpu = { above = 70.5, minutes = 2 }\n'
        'network = { above = 5, minutes = 5, no_data = true }\n[severity.host]\nhigh = "SEV1"\n'
    )

    assert standard.alternatives(Kind.HOST, Measure.CPU)[0].threshold == Decimal("70.5")
    assert standard.alternatives(Kind.HOST, Measure.MEMORY)[0].threshold == Decimal(90)
    assert standard.alternatives(Kind.HOST, Measure.NETWORK)[0].no_data
    assert standard.severity(Kind.HOST, Criticality.HIGH) is Severity.SEV1
    assert standard.severity(Kind.HOST, Criticality.LOW) is Severity.SEV4
    assert (standard.owner, standard.approved_by, standard.reviewed) == ("Kim", "Ana", date(2025, 11, 1))
    assert standard.digest != read_standard(None).digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[hosts]\n", 'hosts is not a known key. Did you mean "host"?'),
        ("[host]\ncpuu = { above = 1, minutes = 1 }\n", 'host.cpuu is not a known key. Did you mean "cpu"?'),
        ("[host]\ncpu = { abov = 1, minutes = 1 }\n", 'Did you mean "above"?'),
        ("[host]\ncpu = { minutes = 1 }\n", "exactly one of above"),
        ("[host]\ncpu = { above = 1 }\n", "within how many `minutes`"),
        ("[host\n", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_mend(read: Read, text: str, says: str) -> None:
    with pytest.raises(WrongSettings, match=r"standard\.toml") as refused:
        read(text)

    assert says in str(refused.value)


def test_the_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "socmon.toml").write_text('[coverage]\nstandard = "ours.toml"\n')

    settings = load_settings({"SOCMON_CONFIG": str(tmp_path / "socmon.toml")}, {})

    assert settings.standard_file == tmp_path / "ours.toml"
