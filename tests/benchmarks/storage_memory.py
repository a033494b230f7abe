"""Reads a conversation and saves one message in it, then prints the process's peak memory in MiB."""

import asyncio
import re
import sys
from pathlib import Path

from tinydb import TinyDB

from tests.unit.storage.support import message, opened


async def _work(kind: str, home: Path) -> None:
    async with opened(home / "ctroom") as store:
        if kind == "ctroom":
            await store.load_messages("long")
            await store.save_messages("long", [message(5, "changed")])
    if kind == "stock":
        with TinyDB(home / "stock.json") as database:
            database.table("messages").all()
            database.table("messages").update({"text": "changed"}, doc_ids=[6])


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], Path(sys.argv[2])))
    # Linux counts what the parent used in `ru_maxrss`, but not in this.
    (peak,) = re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    print(int(peak) / 1024)
