"""What a click carries is read strictly."""

import pytest

from bot.adapters.slack.interactions import (
    Target,
    UnknownControl,
    read_command,
    read_link,
    read_metadata,
    read_value,
)

TARGET = Target(412, 7)


def test_values_are_read_back() -> None:
    assert TARGET.value == "412:7"
    assert read_value(TARGET.value) == TARGET
    assert read_command(TARGET.command("sn30")) == ("sn30", TARGET)
    assert read_metadata(TARGET.metadata) == TARGET
    assert read_link('{"link": "https://x"}') == "https://x"


@pytest.mark.parametrize("value", ["", "412", "412:", ":7", "a:b", "412:7:9", "-1:2", "٣:7", "412:7 "])
def test_foreign_values_are_refused(value: str) -> None:
    with pytest.raises(UnknownControl):
        read_value(value)


@pytest.mark.parametrize("metadata", ["", "{", "[]", "{}", '{"a": "412", "v": 7}', '{"a": 412}', "null"])
def test_foreign_metadata_is_refused(metadata: str) -> None:
    with pytest.raises(UnknownControl):
        read_metadata(metadata)
    with pytest.raises(UnknownControl):
        read_link(metadata)
