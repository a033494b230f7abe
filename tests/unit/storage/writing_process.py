"""A process that writes to a store; started by tests as `python -m tests.unit.storage.writing_process`.

Arguments: the data directory, a name, how many transactions, and optionally the largest file in bytes. Each
acknowledged transaction is a line on standard output.
"""

import asyncio
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from tui.core.errors import StorageError
from tui.core.ports import State
from tui.core.quota import Pool
from tui.storage.store import JsonStore


async def write(home: Path, name: str, count: int) -> None:
    store = await JsonStore.open(home, lambda: datetime.now(UTC))
    for number in range(count):
        label = f"{name}-{number}"

        def add(state: State, label: str = label) -> None:
            total = state.quotas.get(1)
            if total is None:
                state.quotas.insert(Pool("total", used=1))
            else:
                state.quotas.replace(1, Pool("total", used=total.used + 1))
            state.quotas.insert(Pool(label))

        try:
            await store.transaction(add)
        except StorageError as error:
            _say(f"refused: {error.kind}")
            break
        _say(label)
    await store.aclose()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
