"""`ctroom import`: conversations from ChatGPT's export, or from Ctroom's own JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, run, say
from tui.core.text import sanitize

if TYPE_CHECKING:
    from tui.services.importing import ImportReport
    from tui.services.services import Services

MOST_TOLD = 10
"""Problems that are listed; the others are counted."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(files: tuple[Path, ...]) -> int:
    """Import FILES: ChatGPT's export (the zip, or conversations.json), or JSON that `ctroom export` wrote.

    What was imported before is recognised and left as it is.
    """

    async def work(services: "Services") -> int:
        from tui.services.importing import Importer

        importer = Importer(services.store, services.library, services.user)
        failed = False
        for path in files:
            report = await importer.bring(path)
            _tell(path, report)
            failed = failed or bool(report.problems)
        return FAILED if failed else DONE

    return run(work)


def _tell(path: Path, report: "ImportReport") -> None:
    parts = ["nothing new"]
    if report.conversations:
        messages = _counted(report.messages, "message")
        parts = [f"{_counted(report.conversations, 'conversation')} with {messages} imported"]
    if report.known:
        was = "was" if report.known == 1 else "were"
        parts.append(f"{_counted(report.known, 'conversation')} {was} there already")
    if report.left_out:
        parts.append(f"{_counted(report.left_out, 'image or file', 'images or files')} left out")
    click.echo(sanitize(f"{path}: {'; '.join(parts)}."))
    for problem in report.problems[:MOST_TOLD]:
        say(problem)
    if len(report.problems) > MOST_TOLD:
        say(f"{len(report.problems) - MOST_TOLD:,} more could not be read.")


def _counted(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"
