"""Runs Ctroom and notes which modules were imported when its first frame was drawn: `... FILE [ARGS]`."""

import sys
from pathlib import Path
from typing import Any

from textual.app import App

from tui.cli import main

_display = App._display


def _display_and_note(self: App[Any], screen: Any, renderable: Any) -> None:
    _display(self, screen, renderable)
    # Textual draws an empty screen before the app's widgets are there; that is not a frame anyone waits for.
    if screen.children and not _report.exists():
        _report.write_text("\n".join(sorted(sys.modules)), encoding="utf-8")


if __name__ == "__main__":
    _report = Path(sys.argv[1])
    App._display = _display_and_note  # type: ignore[method-assign]
    sys.exit(main(sys.argv[2:]))
