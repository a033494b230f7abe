"""The app of one session: as it is elsewhere, but for what this process and this machine would do for it."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rich.console import Console
from textual import events
from textual.app import _NullFile
from textual.filter import LineFilter, Monochrome
from textual.screen import Screen

from tui.app import CtroomApp
from tui.services.services import Services
from tui.ssh.colours import DEPTHS, colour_system
from tui.ssh.driver import ChannelDriver
from tui.ssh.keyboard import MOST_PASTED
from tui.ssh.paint_queue import PaintQueue
from tui.ssh.screen import PacedScreen
from tui.ssh.stylesheet import SharedStylesheet
from tui.ssh.terminal import Terminal
from tui.widgets.safe_text import SAFE_TEXT


class ServedApp(CtroomApp):
    """The app on a client's terminal. What Textual takes from its process is replaced, session by session.

    Args:
        services: The user's services.
        environ: The session's environment: never the server's.
        terminal: Where it is.
        queue: In which sessions wait to draw.
    """

    def __init__(
        self, services: Services, *, environ: Mapping[str, str], terminal: Terminal, queue: PaintQueue
    ) -> None:
        super().__init__(services, environ=environ)
        self.stylesheet = SharedStylesheet(variables=self.get_css_variables())
        self.chat.pane.prompt.most = MOST_PASTED
        self.drawn = False
        """Whether something was drawn."""
        self._on_drawn: Callable[[], None] | None = None
        self._paint_queue = queue
        self._paced: PacedScreen | None = None
        kind = terminal.kind
        self.driver_class = partial(ChannelDriver, terminal=terminal, acted=self.hasten)  # type: ignore[assignment]
        self.features = frozenset()
        self.animation_level = "none"
        self.no_color = kind.no_color
        self._filters = [each for each in self._filters if not isinstance(each, Monochrome)]
        if self.no_color:
            self._filters.append(Monochrome())
        self._depth = DEPTHS[colour_system(kind.term, kind.environ)]
        # Always of one depth: what is less is brought down before it is drawn.
        self.console = _console()
        # Textual turns the whole process' output over to an app while that runs, and back to whatever was
        # before, which may be another session's, or a dead one's.
        self._capture_stdout = sys.stdout  # type: ignore[assignment]
        self._capture_stderr = sys.stderr  # type: ignore[assignment]

    def get_default_screen(self) -> Screen[None]:
        """The screen under all dialogs."""
        self._paced = PacedScreen(self.services.pace, self._paint_queue)
        return self._paced

    def hasten(self) -> None:
        """The user did something: what comes of it is drawn at once."""
        if self._paced is not None:
            self._paced.hasten()

    def get_line_filters(self) -> list[LineFilter]:
        """What the app has at the end of them, and the colours that the terminal has, are one step here."""
        return [*(each for each in super().get_line_filters() if each is not SAFE_TEXT), self._depth]

    def when_drawn(self, call: Callable[[], None]) -> None:
        """Call a function once the first frame is drawn."""
        self._on_drawn = call

    def post_display_hook(self) -> None:
        """The first frame is drawn."""
        if not self.drawn and self._running and not self._batch_count:
            self.drawn = True
            if self._on_drawn is not None:
                self._on_drawn()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A cursor that blinks redraws twice a second in every session."""
        if hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = False

    async def _process_messages(self, *args: Any, **kwargs: Any) -> None:
        """Run. From Python 3.12 on Textual has just made every task of the loop eager, asyncssh's too."""
        asyncio.get_running_loop().set_task_factory(None)
        await super()._process_messages(*args, **kwargs)

    def _print_error_renderables(self) -> None:
        """Nothing: Textual prints a traceback with locals on the server's own output."""
        self._exit_renderables.clear()


def _console() -> Console:
    return Console(
        color_system="truecolor",
        file=_NullFile(),  # type: ignore[arg-type]
        markup=True,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        force_terminal=True,
        safe_box=False,
        soft_wrap=False,
    )
