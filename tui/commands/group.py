"""The command group, which imports a subcommand's module only when it is called."""

from importlib import import_module

import click

from tui import __version__

COMMANDS = {
    "ask": ("tui.commands.ask", "One turn, streamed to standard output."),
    "usage": ("tui.commands.usage", "The figures of the footer."),
    "keys": ("tui.commands.keys", "Set, test and remove API keys."),
    "quota": ("tui.commands.quota", "Enter what was purchased."),
    "settings": ("tui.commands.settings", "Read and change settings."),
    "users": ("tui.commands.users", "Who may sign in, and what each may spend."),
    "serve": ("tui.commands.serve", "The app over SSH, for a team."),
    "export": ("tui.commands.export", "Conversations as Markdown or JSON."),
    "import": ("tui.commands.import_file", "Conversations from ChatGPT's export."),
    "audit": ("tui.commands.audit", "Whether the ledger proves every balance."),
    "restore": ("tui.commands.restore", "List backups, and go back to one."),
    "doctor": ("tui.commands.doctor", "What was found on this machine."),
}
"""Each subcommand's module and short help; the module's `command` is the click command."""


class LazyGroup(click.Group):
    """A group whose subcommands are imported by name."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def build_group() -> click.Group:
    """The `ctroom` command with everything below it."""

    @click.group(
        cls=LazyGroup,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog="Without a command, the app. Data directory: CTROOM_HOME, else your platform's own.",
    )
    @click.version_option(__version__, prog_name="ctroom")
    def ctroom() -> None:
        """Chat with LLMs and always see how many prepaid tokens remain."""

    return ctroom
