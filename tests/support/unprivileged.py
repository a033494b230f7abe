"""Starts Ctroom as somebody to whom permissions apply: `python -m tests.support.unprivileged usage`.

An administrator may read and write everything; without the capability to do so, they are as anybody else.
"""

import ctypes
import os
import sys

from tests.program import COMMAND

UNPRIVILEGED = (sys.executable, "-m", "tests.support.unprivileged")
"""What starts it."""

_DROP = 24
"""PR_CAPBSET_DROP of prctl(2)."""
_OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of capabilities(7)."""


def main() -> None:
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _OVERRIDES:
            if libc.prctl(_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "The capability could not be dropped")
    os.execv(COMMAND[0], [*COMMAND, *sys.argv[1:]])


if __name__ == "__main__":
    main()
