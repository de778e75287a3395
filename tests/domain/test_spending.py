"""What asking the tools takes, in words."""

import pytest

from bot.domain.spending import Spent, spending


@pytest.mark.parametrize(
    ("spent", "says"),
    [
        (Spent(calls=1, components=24), "1 request a run"),
        (Spent(calls=13, components=99), "13 requests a run"),
        (Spent(calls=13, components=1000), "13 requests a run, 13.0 per 1,000 components"),
    ],
)
def test_a_rate_is_told_where_it_means_something(spent: Spent, says: str) -> None:
    assert spending(spent, inventory=0) == says
