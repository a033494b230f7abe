"""The subcommands of `ctroom`, one module each, imported when they are called."""
