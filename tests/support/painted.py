"""What an app has on its screen."""

from typing import Any

from textual.app import App


def screen_text(app: App[Any]) -> str:
    """A line for each row."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
