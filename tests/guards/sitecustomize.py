"""Imported by the interpreter at its start: keeps the programs that tests start on this machine."""

from tests.offline import install

install()
