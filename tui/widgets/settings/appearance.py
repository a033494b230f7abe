"""Section 5: the colours, the bell, notices, titles, and the keys."""

from textual.app import ComposeResult
from textual.widget import Widget

from tui.core.settings import ReplyNotice, TitleSource
from tui.services.services import Services
from tui.widgets.checked_field import Choice
from tui.widgets.settings.section import Section
from tui.widgets.settings.setting_fields import setting_field
from tui.widgets.settings.titles import APPEARANCE
from tui.widgets.text_button import TextButton


class AppearanceSection(Section):
    """The theme, applied as soon as it is chosen, the bell, notices, titles, and the way to the keys.

    Args:
        services: What reads and changes them.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services, APPEARANCE, id="settings-appearance")

    def compose(self) -> ComposeResult:
        """The fields, a toggle and a button."""
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
            hint="Down opens the list, Enter applies one at once.",
        )
        yield self.switch("bell", "ring it on an alert", label=f"{'Bell':<16}")
        yield setting_field(
            self.services,
            "notify",
            "Long replies",
            choices=[
                Choice(ReplyNotice.OFF, "say nothing when one ends"),
                Choice(ReplyNotice.BELL, "ring the bell if another window has the focus"),
                Choice(ReplyNotice.DESKTOP, "show a notice, where the terminal can"),
            ],
            strict=True,
            hint="When a reply took over 15 s and another window has the focus.",
        )
        yield setting_field(
            self.services,
            "titles",
            "Titles",
            choices=[
                Choice(TitleSource.PROMPT, "the first prompt's first line, free of tokens"),
                Choice(TitleSource.MODEL, "asked of the model after its first reply"),
            ],
            strict=True,
            hint="A title that the model is asked for is counted like any turn.",
        )
        yield TextButton(self._keys_words(), id="change-keys")

    def reload(self) -> None:
        """Say how many keys are the user's own."""
        super().reload()
        self.query_one("#change-keys", TextButton).word = self._keys_words()

    def _keys_words(self) -> str:
        changed = len(self.services.settings.user().keymap)
        return f"Keys: {changed} changed, see and change" if changed else "Keys: see and change"

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """Show a theme as soon as it is saved."""
        super().ended(field, words, ok=ok)
        theme = self.services.settings.user().theme
        if ok and field.name == "theme" and theme in self.app.available_themes:
            self.app.theme = theme
