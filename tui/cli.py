"""The `ctroom` command: the app when it stands alone, else one of the lazily imported subcommands."""

import gc
import sys

from tui.skeleton import FirstSight, first_sight


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the command's name; those of the process where None.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage, 3 refused by quota, 4 no key, 130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    sight = None
    try:
        # The app's frame stands before anything heavy is imported; commands write to the terminal as it is.
        sight = None if arguments else first_sight()
        return _run_command(arguments) if arguments else _run_app(sight)
    except KeyboardInterrupt:  # while modules were being imported
        if sight is not None:
            sight.end()
        sys.stderr.write("Interrupted.\n")
        return 130
    finally:
        if sight is not None:
            sight.end()


def _run_app(sight: FirstSight | None) -> int:
    def run() -> int:
        try:
            from tui.commands.screen import run_app

            return run_app(sight)
        finally:
            # Whatever is said of a failure is said on the main screen.
            if sight is not None:
                sight.end()

    # Modules and stylesheets are no garbage: looking for some in them takes a sixth of the start.
    gc.disable()
    try:
        from tui.commands.runtime import guarded

        return guarded(run)
    finally:
        gc.enable()


def _run_command(arguments: list[str]) -> int:
    from tui.commands.runtime import guarded

    return guarded(lambda: _command(arguments))


def _command(arguments: list[str]) -> int:
    import io

    import click

    from tui.commands.group import build_group
    from tui.commands.runtime import FAILED, INTERRUPTED, USAGE, say
    from tui.core.text import sanitize_line

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a reply may have what the terminal's encoding has not
    try:
        status = build_group().main(args=arguments, prog_name="ctroom", standalone_mode=False)
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


if __name__ == "__main__":
    sys.exit(main())
