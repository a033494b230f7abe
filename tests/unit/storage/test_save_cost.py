"""A save costs what it changes: nothing else is encoded, decoded or read again, however much there is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.storage.support import add_pool, ledger_row, message, opened
from tui.core.ports import State
from tui.core.quota import Pool
from tui.storage import parser, rows
from tui.storage.files import FileLayer
from tui.storage.records import Codec
from tui.storage.rows import RUN_ROWS, Run
from tui.storage.store import JsonStore

MANY = 2_000


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the work on documents: `encoded`, `decoded`, `parsed`, and `written` for those put in a run."""
    counts: Counter[str] = Counter()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            counts[name] += 1
            return call(*arguments)

        return counted

    def make_run(run: Run, keys: list[int], rows_: list[rows.Row]) -> None:
        counts["written"] += len(keys)
        initialize(run, keys, rows_)

    initialize = Run.__init__
    monkeypatch.setattr(Run, "__init__", make_run)
    monkeypatch.setattr("tui.storage.tables.encode_document", counting("encoded", rows.encode_document))
    monkeypatch.setattr(parser, "_parse_row", counting("parsed", parser._parse_row))
    monkeypatch.setattr(Codec, "decode", counting("decoded", Codec.decode))
    return counts


async def _fill(store: JsonStore) -> None:
    def fill(state: State) -> None:
        for number in range(MANY):
            state.quotas.insert(Pool(f"p{number}"))

    await store.transaction(fill)
    await store.save_messages("c1", [message(number) for number in range(MANY)])


async def test_a_saved_message_is_all_that_is_encoded(tmp_path: Path, work: Counter[str]) -> None:
    async with opened(tmp_path / "ctroom") as store:
        await _fill(store)
        for changed in (message(5, "changed"), message(MANY, "added")):
            work.clear()
            await store.save_messages("c1", [changed])

            assert work["encoded"] == work["decoded"] == 1
            assert work["parsed"] == 0
            assert work["written"] <= RUN_ROWS


async def test_a_transaction_encodes_the_records_that_it_changes_and_the_sequence(
    tmp_path: Path, work: Counter[str]
) -> None:
    def charge(state: State) -> None:
        state.quotas.replace(5, Pool("p4", used=7))
        state.ledger.insert(ledger_row(1))

    async with opened(tmp_path / "ctroom") as store:
        await _fill(store)
        await store.transaction(charge)
        work.clear()
        await store.transaction(lambda state: state.quotas.replace(5, Pool("p4", used=8)))

        assert work["encoded"] == work["decoded"] == 2
        assert work["parsed"] == 0
        assert work["written"] <= RUN_ROWS + 1


async def test_what_another_process_changed_is_all_that_is_read(tmp_path: Path, work: Counter[str]) -> None:
    async with opened(tmp_path / "ctroom") as ours, opened(tmp_path / "ctroom") as theirs:
        await _fill(theirs)
        await ours.refresh()
        for used in range(3):
            await theirs.transaction(lambda state, used=used: state.quotas.replace(9, Pool("p8", used=used)))  # type: ignore[misc]
            await theirs.save_messages("c1", [message(9, f"theirs {used}")])
            work.clear()
            await ours.refresh()
            messages = await ours.load_messages("c1")

            assert messages[9] == message(9, f"theirs {used}")
            assert ours.view.quotas.get(9) == Pool("p8", used=used)
            if used:  # the first time, the conversation is new to us
                assert work["parsed"] == work["decoded"] == 3


async def test_what_did_not_change_is_not_read_again(tmp_path: Path, work: Counter[str]) -> None:
    async with opened(tmp_path / "ctroom") as store:
        await _fill(store)
        await store.load_messages("c1")
        work.clear()
        await store.refresh()
        await store.load_messages("c1")

        assert not work


class _CountingFiles(FileLayer):
    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self._names: dict[int, str] = {}

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = super().open(path, flags, mode)
        self._names[descriptor] = path.name
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        self.written[self._names[descriptor]] += len(data)
        super().write(descriptor, data)


async def test_a_transaction_writes_no_message(tmp_path: Path) -> None:
    files = _CountingFiles()
    async with opened(tmp_path / "ctroom", files) as store:
        await store.transaction(add_pool("openai"))
        for number in range(10):
            await store.save_messages(f"c{number}", [message(n) for n in range(100)])
        files.written.clear()
        await store.transaction(lambda state: state.quotas.replace(1, replace(Pool("openai"), used=1)))

        assert list(files.written) == [".ctroom.json.tmp"]
        assert files.written[".ctroom.json.tmp"] < 1_000
