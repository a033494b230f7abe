"""Section 5: the colours, and the bell."""

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from tui.services.services import Services
from tui.widgets.checked_field import CheckedField, Choice
from tui.widgets.settings.section import Section
from tui.widgets.settings.setting_fields import setting_field


class AppearanceSection(Section):
    """The theme, shown at once as the list is walked through, and the bell.

    Args:
        services: What reads and changes them.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services, 5, "Appearance", id="settings-appearance")

    def compose(self) -> ComposeResult:
        """A field and a toggle."""
        themes = [
            Choice(name, "dark" if theme.dark else "light")
            for name, theme in sorted(self.app.available_themes.items())
        ]
        yield setting_field(
            self.services,
            "theme",
            "Theme",
            choices=themes,
            strict=True,
            hint="Down opens the list; each theme is shown as you pass it.",
        )
        yield self.switch("bell", "ring it on an alert", label=f"{'Bell':<16}")

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """Keep the theme that was saved."""
        super().ended(field, words, ok=ok)
        self._show_saved_theme()

    def reload(self) -> None:
        """Take over the theme as well."""
        super().reload()
        self._show_saved_theme()

    @on(CheckedField.Highlighted)
    def _on_highlighted(self, event: CheckedField.Highlighted) -> None:
        event.stop()
        if event.value in self.app.available_themes:
            self.app.theme = event.value
        elif not event.control.dirty:
            self._show_saved_theme()

    def _show_saved_theme(self) -> None:
        theme = self.services.settings.user().theme
        if theme in self.app.available_themes:
            self.app.theme = theme
