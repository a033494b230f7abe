"""What goes on beside the screen."""

import gc
from collections.abc import Iterator

import pytest

from tui.background import resume_collector


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was, after the test."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_the_collector_resumes_without_what_the_start_made() -> None:
    gc.disable()
    resume_collector()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("collector")
def test_a_collector_that_was_never_put_off_is_left_alone() -> None:
    gc.unfreeze()
    resume_collector()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
