"""One playground per file of tests, empty again before each test."""

from collections.abc import Iterator

import pytest

from tests.playground.rig import HandClock, Rig


@pytest.fixture(scope="module")
def shared_rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.stop()


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    """A playground with a bot that knows nothing yet, and a clock that stands still."""
    assert isinstance(shared_rig.clock, HandClock)
    shared_rig.clock.advance(3600)
    shared_rig.reset()
    return shared_rig
