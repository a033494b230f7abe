"""`ctroom export`: conversations as Markdown or JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, run, say, utc_now
from tui.core.errors import CtroomError, InvalidValueError
from tui.core.text import sanitize, sanitize_line

if TYPE_CHECKING:
    from tui.core.chat import Conversation
    from tui.services.exporting import ExportFormat
    from tui.services.services import Services


@click.command()
@click.argument("conversation", required=False)
@click.option("--all", "every", is_flag=True, help="Every conversation, each to a file of its own.")
@click.option("--format", "-f", "form", type=click.Choice(["md", "json"]), default=None, help="Default: md.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=None,
    help="A file, or a directory that exists.",
)
def command(conversation: str | None, every: bool, form: str | None, output: Path | None) -> int:
    """Export CONVERSATION: its id, its title, or the beginning of either; the latest one where none is given.

    One conversation goes to standard output unless -o says where; --all makes a directory. No file is ever
    overwritten.
    """
    if every and conversation:
        raise click.UsageError("Give a conversation or --all, not both.")

    into_directory = output is not None and output.is_dir()
    suffix = output.suffix.lstrip(".") if output and not into_directory else ""

    async def work(services: "Services") -> int:
        from tui.services.exporting import ExportFormat

        chosen = ExportFormat(form or (suffix if suffix in ("md", "json") else "md"))
        entries = (*services.library.conversations(), *await services.library.older())
        if every:
            return await _export_all(services, entries, chosen, output)
        content, name = await _exported(services, _find(entries, conversation), chosen)
        _put(content, name, output, services.user, into_directory=into_directory)
        return DONE

    return run(work)


async def _exported(services: "Services", entry: "Conversation", form: "ExportFormat") -> tuple[str, str]:
    """A conversation as the content of a file, and the file's name."""
    from tui.services.exporting import export, file_name

    opened = await services.library.open(entry.id)
    return export(opened, form, services.store.load_attachment), file_name(entry, form)


def _put(content: str, name: str, output: Path | None, user: str, *, into_directory: bool) -> None:
    from tui.services.exporting import write_new, write_numbered

    if output is None or str(output) == "-":
        click.echo(sanitize(content), nl=False)
    elif into_directory:
        click.echo(write_numbered(output, name, content, user))
    else:
        write_new(output, content, user)


async def _export_all(
    services: "Services", entries: "tuple[Conversation, ...]", form: "ExportFormat", output: Path | None
) -> int:
    from tui.services.exporting import write_numbered

    directory = output or Path(f"ctroom-export-{utc_now():%Y-%m-%d}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidValueError(f"{directory} could not be made ({error.strerror}).") from None
    written = 0
    failed = False
    for entry in entries:
        try:
            content, name = await _exported(services, entry, form)
        except CtroomError as error:
            failed = True
            say(f"\u201c{sanitize_line(entry.title)}\u201d was not exported: {error}")
            continue
        write_numbered(directory, name, content, services.user)
        written += 1
    click.echo(f"{written:,} exported to {directory}")
    return FAILED if failed else DONE


def _find(entries: "tuple[Conversation, ...]", wanted: str | None) -> "Conversation":
    if not entries:
        raise InvalidValueError("There is no conversation to export.")
    if wanted is None:
        return max(entries, key=lambda entry: entry.updated_at)
    words = wanted.casefold()
    same = [entry for entry in entries if words in (entry.id, entry.title.casefold())]
    found = same or [e for e in entries if e.id.startswith(words) or e.title.casefold().startswith(words)]
    if not found:
        raise InvalidValueError(f"There is no conversation {sanitize_line(wanted, 80)!r}.")
    if len(found) > 1:
        listed = "; ".join(f"{entry.id} {sanitize_line(entry.title, 40)}" for entry in found[:5])
        raise InvalidValueError(f"There are {len(found)} such conversations, give an id: {listed}.")
    return found[0]
