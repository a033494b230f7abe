"""The prompt in the user's own editor, while the app leaves the terminal to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from textual.app import App, SuspendNotSupported

from tui.core.errors import InvalidValueError
from tui.terminal.editor import edit, editor_command
from tui.widgets.prompt import Prompt

NOT_HERE = "An editor would be the server's, not yours: write in the prompt itself."
"""Said to users who sit at another machine."""


async def edit_prompt(app: App[Any], environ: Mapping[str, str], prompt: Prompt, *, remote: bool) -> None:
    """Open the prompt in the user's editor, and take what was written there; replies stream on meanwhile.

    Args:
        app: Whose terminal it is.
        environ: The session's environment.
        prompt: What is edited.
        remote: The user sits at another machine, and is told so instead.
    """
    if remote:
        app.notify(NOT_HERE, title="Editor", severity="warning", markup=False)
        return
    before, written, problem = prompt.text, None, ""
    try:
        command = editor_command(environ)
        with _terminal_left(app):
            # Textual's way back would be skipped by an exception.
            try:
                written = await edit(command, before, environ)
            except InvalidValueError as error:
                problem = str(error)
    except InvalidValueError as error:
        problem = str(error)
    except SuspendNotSupported:
        problem = "This terminal can't be lent to an editor: write in the prompt itself."
    if written is not None:
        prompt.rewrite(before, written)
    if problem:
        app.notify(problem, title="Editor", severity="error", timeout=10, markup=False)


@contextmanager
def _terminal_left(app: App[Any]) -> Iterator[None]:
    """Leave the terminal to another program: nothing is read from it, and nothing written to it."""
    with app.suspend():
        driver: Any = app._driver
        driver.write = lambda _: None  # what goes on meanwhile draws; the return draws it all
        try:
            yield
        finally:
            del driver.write
