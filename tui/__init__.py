"""Ctroom, the control room: a chat client that always shows the tokens that remain."""

__version__ = "0.1.0"
