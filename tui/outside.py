"""What the app does beyond its own screen: copies, saved code, and links that are followed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.widgets import Input, TextArea

from tui.core.chat import Message, MessageStatus
from tui.core.errors import InvalidValueError
from tui.core.settings import ReplyNotice, provider_name
from tui.core.text import sanitize_line
from tui.terminal.clipboard import Place, copied_words, copy
from tui.terminal.links import can_be_opened, open_link
from tui.terminal.sequences import notice_sequence

if TYPE_CHECKING:
    from tui.widgets.transcript.model import Thing

WEB_ONLY = (
    "Only web and mail links are opened from here; what others do is up to the program that takes them."
)
NOT_HERE = "There is no browser on this machine to open it in. Copy it, or let your terminal open it."
_SHOWN = 120
"""Characters of a link in a notice."""


def write(app: App[Any], sequence: str) -> None:
    """Write a sequence to the app's terminal; nothing where it has none."""
    if app._driver is not None:
        app._driver.write(sequence)


def tell_of_reply(app: App[Any], environ: Mapping[str, str], notice: ReplyNotice, reply: Message) -> None:
    """Tell a user who looks elsewhere that a reply has ended.

    Args:
        app: Whose terminal it is.
        environ: The session's environment.
        notice: How the user wants it.
        reply: The reply.
    """
    sequence = ""
    if notice is ReplyNotice.DESKTOP:
        name = reply.model or provider_name(reply.provider or "")
        failed = reply.status is MessageStatus.FAILED
        said = (reply.error or "") if failed else reply.text
        sequence = notice_sequence(f"{name}: {'failed' if failed else 'done'}", said, environ)
    if sequence:
        write(app, sequence)
    elif notice is not ReplyNotice.OFF:
        app.bell()


async def copy_text(
    app: App[Any], environ: Mapping[str, str], text: str, what: str, *, quiet: bool = False
) -> None:
    """Copy a text, and say what is known to have become of it.

    Args:
        app: Whose terminal it is.
        environ: The session's environment.
        text: What is copied.
        what: Its name in the notice, such as "reply".
        quiet: Say only what went wrong.
    """
    place = await copy(text, environ, lambda sequence: write(app, sequence))
    failed = place is Place.NOWHERE
    if failed or not quiet:
        app.notify(
            copied_words(what, text, place),
            severity="warning" if failed else "information",
            timeout=8 if failed else 4,
            markup=False,
        )


def copy_soon(
    app: App[Any], environ: Mapping[str, str], text: str, what: str, *, quiet: bool = False
) -> None:
    """Copy a text beside what the app does, for its own pasting too; see `copy_text`."""
    app._clipboard = text
    work = copy_text(app, environ, text, what, quiet=quiet)
    app.run_worker(work, group="copy", exclusive=True, exit_on_error=False)


def copy_selection(app: App[Any], environ: Mapping[str, str], text: str) -> None:
    """Copy what is selected; in a text field without a word, as everywhere."""
    copy_soon(app, environ, text, "selection", quiet=isinstance(app.focused, Input | TextArea))


async def save_code(app: App[Any], block: "Thing", user: str) -> None:
    """Ask where a code block is to be saved, save it there, and say so.

    Args:
        app: Where it is asked.
        block: The code block.
        user: Who saves it.
    """
    from tui.dialogs.save_code import SaveCodeDialog
    from tui.services.host_files import check_may_write

    try:
        check_may_write(user)
    except InvalidValueError as error:
        app.notify(str(error), severity="warning", markup=False)
        return

    def answered(path: str | None) -> None:
        if path:
            app.notify(f"Saved {block.label} as {sanitize_line(path, _SHOWN)}.", timeout=5, markup=False)

    await app.push_screen(SaveCodeDialog(block, user), answered)


async def follow_link(app: App[Any], environ: Mapping[str, str], href: str) -> None:
    """Open a link on the desktop, or show the whole of it where that can't be done.

    Args:
        app: Where it is shown.
        environ: The session's environment.
        href: The link.
    """
    if await open_link(href, environ):
        app.notify(f"Asked the browser to open {sanitize_line(href, _SHOWN)}", timeout=4, markup=False)
        return
    from tui.dialogs.link import LinkDialog

    async def answered(wanted: bool | None) -> None:
        if wanted:
            await copy_text(app, environ, href, "link")

    await app.push_screen(LinkDialog(href, NOT_HERE if can_be_opened(href) else WEB_ONLY), answered)
