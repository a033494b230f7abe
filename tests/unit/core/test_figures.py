from datetime import UTC, date, datetime

from tui.core.figures import DayFigures, ProviderFigures, UsageSnapshot
from tui.core.quota import KeySource

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)


def test_the_users_own_example() -> None:
    openai = ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 45_230, purchased=1_000_000)
    assert (openai.remaining, openai.remaining_percent, openai.approximate) == (954_770, 95.5, False)


def test_nothing_purchased_leaves_nothing_to_show() -> None:
    figures = ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 45_230)
    assert (figures.remaining, figures.remaining_percent) == (None, None)


def test_below_zero_the_percentage_stays_at_zero() -> None:
    figures = ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 150, purchased=100)
    assert (figures.remaining, figures.remaining_percent) == (-50, 0.0)


def test_estimated_or_pending_tokens_make_a_figure_approximate() -> None:
    assert ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 5, estimated=1).approximate
    assert ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 5, pending=1).approximate


def test_a_day_without_a_limit_has_no_rest() -> None:
    assert DayFigures(date(2026, 11, 23), None, 1_204, 0, NOW).remaining is None
    assert DayFigures(date(2026, 11, 23), 1_000, 1_204, 0, NOW).remaining == -204


def test_a_snapshot_finds_its_providers() -> None:
    demo = ProviderFigures("demo", "Demo", KeySource.NONE, 0)
    snapshot = UsageSnapshot(NOW, "local", True, "basic", (demo,))
    assert snapshot.provider("demo") is demo
    assert snapshot.provider("openai") is None
