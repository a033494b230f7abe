"""Tells the operator that the disk fills up: users see only that their turns can't be saved."""

import asyncio
import os
from pathlib import Path

from tui.ssh.journal import note, warn

LEAST_FREE = 64 * 1024 * 1024
"""Bytes below which it is said: a busy day of a team takes a few, and every save a copy of its file."""


class DiskWatch:
    """Looks at the disk of the data directory, and says when it fills up and when it is free again.

    Args:
        home: The data directory.
        least: Bytes that have to be free.
    """

    def __init__(self, home: Path, least: int = LEAST_FREE) -> None:
        self._home = home
        self._least = least
        self._told = False

    async def look(self) -> None:
        """Look once; a line is written only when it is otherwise than before."""
        try:
            found = await asyncio.to_thread(os.statvfs, self._home)
        except OSError as error:
            self._tell(f"it can't be looked at ({error.strerror})", 0)
            return
        free = found.f_bavail * found.f_frsize
        if found.f_flag & os.ST_RDONLY:
            self._tell("it is read-only: nothing can be saved", free)
        elif free < self._least:
            self._tell("it is almost full: once it is, no turn is sent", free)
        elif found.f_files and not found.f_favail:
            self._tell("it has no inodes left: nothing can be saved", free)
        elif self._told:
            self._told = False
            note("disk", free_mb=free // 1_000_000, why="there is room again")

    def _tell(self, why: str, free: int) -> None:
        if not self._told:
            self._told = True
            warn("disk", free_mb=free // 1_000_000, why=why)
