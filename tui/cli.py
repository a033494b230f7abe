"""The `ctroom` command: the app when it stands alone, else one of the lazily imported subcommands."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the command's name; those of the process where None.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage, 3 refused by quota, 4 no key, 130 interrupted.
    """
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # while modules were being imported
        sys.stderr.write("Interrupted.\n")
        return 130


def _run(arguments: list[str]) -> int:
    from tui.commands.runtime import guarded

    if not arguments:
        from tui.commands.screen import run_app

        return guarded(run_app)
    return guarded(lambda: _run_command(arguments))


def _run_command(arguments: list[str]) -> int:
    import io

    import click

    from tui.commands.runtime import FAILED, INTERRUPTED, USAGE, say
    from tui.core.text import sanitize_line

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a reply may have what the terminal's encoding has not
    try:
        status = _group().main(args=arguments, prog_name="ctroom", standalone_mode=False)
    except click.exceptions.Abort:
        say("Interrupted.")
        return INTERRUPTED
    except click.UsageError as error:
        sentence = sanitize_line(error.format_message()).rstrip(".")
        hint = f" Try '{error.ctx.command_path} --help'." if error.ctx else ""
        say(f"{sentence}.{hint}")
        return USAGE
    except click.ClickException as error:
        say(sanitize_line(error.format_message()))
        return FAILED
    return status if isinstance(status, int) else 0


def _group() -> "click.Group":
    from tui.commands.group import build_group

    return build_group()


if __name__ == "__main__":
    sys.exit(main())
