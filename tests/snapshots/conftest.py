"""A scene for each test, closed after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.snapshots.scenes import EXAMPLE, TODAY, Scene, conversed, serving


@pytest.fixture
def first_run(ctroom_home: Path) -> Iterator[Scene]:
    """A data directory in which nothing was done, and no key."""
    scene = Scene(ctroom_home)
    yield scene
    scene.close()


@pytest.fixture
def example(ctroom_home: Path) -> Iterator[Scene]:
    """The user's own example: both providers in use, and conversations."""
    scene = conversed(ctroom_home, EXAMPLE, TODAY)
    yield scene
    scene.close()


@pytest.fixture
def little(ctroom_home: Path) -> Iterator[Scene]:
    """OpenAI's tokens run low, Google's are almost gone, and so is the day's allowance."""
    scene = conversed(ctroom_home, {"openai": 847_700, "google": 481_250}, {"openai": 1_204, "google": 7_296})
    yield scene
    scene.close()


@pytest.fixture
def team(ctroom_home: Path) -> Iterator[Scene]:
    """A host that serves a team."""
    scene = serving(ctroom_home)
    yield scene
    scene.close()
