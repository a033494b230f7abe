"""Long forms are run by `-m long` and by nothing else; what they measured is told at the end of the run."""

import pytest

FIGURES = "figures"
"""The property that a test records its figures under."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long forms, unless they are asked for."""
    if "long" in config.getoption("markexpr"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was recorded; a worker's own output would not be seen."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == FIGURES and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid}: {value}")
