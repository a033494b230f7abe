"""`ctroom audit`: it holds for all that Ctroom writes, and names the first thing that somebody changed."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.session import ManualClock, add_user, reported, session
from tui.core.quota import KeySource
from tui.core.usage import Measured, Provenance, Usage
from tui.storage.lock import ProcessLock
from tui.storage.store import JsonStore

Tables = dict[str, dict[str, dict[str, Any]]]

STATE, OCTOBER, NOVEMBER = "ctroom.json", "ledger/2026-10.json", "ledger/2026-11.json"
HOLDS = "The ledger holds: 14 rows, 2 months, OpenAI 990 used of 900,000, Google 660 used.\n"
"""Rows 1 to 5 are in October's file, 6 to 9 in November's, 10 to 14 in the state."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with rows of every kind in two months' files and in the state."""
    home = tmp_path_factory.mktemp("books") / "ctroom"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.storage.upkeep.KEPT_LIVE", 5)
        asyncio.run(_keep_books(home))
    return home


async def _keep_books(home: Path) -> None:
    clock = ManualClock()
    clock.move(days=-24)
    store = await JsonStore.open(home, clock)
    await add_user(store, "sam", "basic")
    local, sam = session(store, clock=clock), session(store, "sam", clock)
    await local.accounting.set_purchased("openai", 800_000)
    await local.accounting.add_purchased("openai", 100_000)
    for day in range(4):
        await local.spend(100 + 20 * day)
        hold = await sam.hold("google", model="gemini-2.5-flash")
        measured = Measured(Usage(100, 10 * day, 40, 5 * min(day, 1)), Provenance.ESTIMATED)
        await sam.accounting.settle(hold.attempt_id, measured)
        if day % 2:
            hold = await sam.hold(source=KeySource.OWN)
            await sam.accounting.settle(hold.attempt_id, reported(20, 5))
        clock.move(days=1)
    late = await local.hold(estimate=100, wanted=300)
    clock.move(minutes=3)
    await local.accounting.sweep()
    await local.accounting.settle(late.attempt_id, reported(100, 150))
    await local.spend(220)
    await sam.hold("google", estimate=70, wanted=130)
    clock.move(minutes=3)
    await sam.accounting.sweep()
    await store.archive_ledger()
    await sam.hold("google", estimate=50, wanted=250)
    await store.aclose()


@pytest.fixture
def home(books: Path, ctroom_home: Path) -> Path:
    """A copy of the books as this test's data directory."""
    return Path(shutil.copytree(books, ctroom_home))


def _edit(path: Path, change: Callable[[Tables], object]) -> None:
    documents = json.loads(path.read_bytes())
    change(documents)
    path.write_text(json.dumps(documents))


def _contents(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def _row(number: int, /, **changed: Any) -> Callable[[Tables], None]:
    """Change fields of a row: to a value, or by adding where a value begins with a sign."""

    def change(documents: Tables) -> None:
        row = _find(documents, number)
        for name, value in changed.items():
            row[name] = row[name] + int(value) if isinstance(value, str) and value[0] in "+-" else value

    return change


def _find(documents: Tables, number: int) -> dict[str, Any]:
    return next(row for row in documents["ledger"].values() if row["number"] == number)


def _remove(*numbers: int) -> Callable[[Tables], None]:
    def change(documents: Tables) -> None:
        kept = {key: row for key, row in documents["ledger"].items() if row["number"] not in numbers}
        documents["ledger"] = kept

    return change


def _double(number: int, /, **changed: Any) -> Callable[[Tables], None]:
    def change(documents: Tables) -> None:
        documents["ledger"]["90"] = {**_find(documents, number), **changed}

    return change


def _swap(one: int, other: int) -> Callable[[Tables], None]:
    def change(documents: Tables) -> None:
        table = documents["ledger"]
        places = [next(key for key, row in table.items() if row["number"] == n) for n in (one, other)]
        table[places[0]], table[places[1]] = table[places[1]], table[places[0]]

    return change


def _put(table: str, place: int, **changed: Any) -> Callable[[Tables], None]:
    """Change fields of the record at a place of a table of the state."""

    def change(documents: Tables) -> None:
        list(documents[table].values())[place].update(changed)

    return change


def _drop(table: str, place: int) -> Callable[[Tables], None]:
    def change(documents: Tables) -> None:
        del documents[table][list(documents[table])[place]]

    return change


ROWS = [
    # Any edit of a row, in a month's file and in the state.
    (OCTOBER, _row(3, tokens="+5"), "row 3 .* charges 125 tokens, but its input and output are 120"),
    (
        OCTOBER,
        _row(3, tokens="-1", output="-1"),
        "row 3 .* charges 119 tokens and says 220 .* should say 219",
    ),
    (OCTOBER, _row(1, tokens=0, input=0, output=0), "row 1 .* charges 0 tokens and says 100 .* should say 0"),
    (OCTOBER, _row(5, tokens=0, input=0, output=0), "row 5 .* charges 0 tokens and says 25 .* should say 0"),
    (NOVEMBER, _row(7, tokens="+900", input="+900"), "row 7 .* charges 1,020 .* 330 .* should say 1,230"),
    (NOVEMBER, _row(8, balance="+7"), "row 8 .* charges 160 tokens and says 527 .* should say 520"),
    (NOVEMBER, _row(8, balance=None), "row 8 .* has no balance"),
    (
        NOVEMBER,
        _row(8, provider="google"),
        "row 8 .* charges 160 tokens and says 520 .* should say 490",
    ),
    (STATE, _row(13, tokens=20, input=0, output=20), "row 13 .* charges 20 tokens .* should say 790"),
    (STATE, _row(14, tokens="+1", output="+1"), "row 14 .* charges 201 tokens .* should say 661"),
    (STATE, _row(10, balance=30), "row 10 .* says 30 .* should say 50"),
    (OCTOBER, _row(4, cached_input=500), "row 4 .* says 500 of 100 input tokens were cached"),
    (OCTOBER, _row(4, reasoning=11), "row 4 .* says 11 of 10 output tokens were reasoning"),
    (OCTOBER, _row(4, input=-10, output=120, cached_input=-20), "row 4 .* counts less than no tokens"),
    (OCTOBER, _row(4, date="2026-11-30"), "row 4 .* is of 2026-11-30, which is another month's"),
    (OCTOBER, _row(4, number=0, balance=None), "an unnumbered row .* stands after row 3"),
    # Rows that are gone.
    (OCTOBER, _remove(1), "row 1 is missing before row 2 "),
    (OCTOBER, _remove(3), "row 3 is missing before row 4 "),
    (OCTOBER, _remove(4, 5), "rows 4 to 5 are missing before row 6 "),
    (NOVEMBER, _remove(9), r"row 9 is missing before row 10 \(attempt \w+, ctroom.json, table ledger\)"),
    (STATE, _remove(12), "row 12 is missing before row 13 "),
    (STATE, _remove(14), "row 14 is missing: 14 were written"),
    (STATE, _remove(10, 11, 12, 13, 14), "rows 10 to 14 are missing: 14 were written"),
    # Rows that are there more than once, or in another place.
    (OCTOBER, _double(2), "row 2 .* stands after row 5"),
    (OCTOBER, _double(5), "row 5 .* stands there twice"),
    (NOVEMBER, _double(9, at="2026-11-03T00:00:00Z"), "row 9 .* stands there twice"),
    (NOVEMBER, _double(9, number=14), "row 14 .* charges an attempt that row 9 charged"),
    (STATE, _double(14), "row 14 .* stands there twice"),
    (STATE, _double(14, number=15), "row 15 .* charges an attempt that row 14 charged"),
    (STATE, _double(12, number=14), "row 14 .* stands there twice"),
    (OCTOBER, _swap(2, 3), "row 2 .* stands after row 3"),
    (STATE, _swap(11, 13), "row 11 .* stands after row 12"),
    # Corrections without their cause.
    (STATE, _row(11, provenance="reported"), "row 12 .* adjusts row 11, which recovery did not charge"),
    (STATE, _row(12, attempt_id="nobody"), "row 12 .* adjusts a charge that is not there"),
    (
        STATE,
        _row(12, tokens=-500, input=-200, output=-300),
        "row 12 .* takes 500 from a charge of 400 tokens",
    ),
    (STATE, _row(13, kind="adjustment"), "row 13 .* adjusts a charge that is not there"),
]
TOTALS = [
    (_put("quotas", 0, used=989), r"openai \(.*quotas\) says used 989, but its ledger rows make 990"),
    (_put("quotas", 1, estimated=1), r"google \(.*quotas\) says estimated 1, but its ledger rows make 660"),
    (_put("quotas", 1, held=0), r"google \(.*quotas\) says held 0, but its open attempts hold 300"),
    (
        _put("quotas", 0, purchased=990_000),
        "openai .* says purchased 990,000, but its purchases make 900,000",
    ),
    (_put("quotas", 0, purchased=None), "openai .* says purchased nothing, but its purchases make 900,000"),
    (_put("quotas", 0, epoch=3), "openai .* says epoch 3, but its purchases make 2"),
    (_drop("quotas", 0), "openai .* says used 0, but its ledger rows make 990"),
    (_put("purchases", 0, amount=1), "purchase 1 of OpenAI .* says 800,000 .* should say 1"),
    (_put("purchases", 1, purchased=5), "purchase 2 of OpenAI .* says 5 .* should say 900,000"),
    (_drop("purchases", 1), "openai .* says purchased 900,000, but its purchases make 800,000"),
    (
        _put("daily_usage", 0, used=0),
        r"2026-10-30 local openai \(.*daily_usage\) says used 0, .* rows make 100",
    ),
    (_put("daily_usage", -1, held=1), r"2026-11-03 sam google \(.*daily_usage\) says held 1, .* hold 300"),
    (_put("daily_usage", 1, user="max"), r"2026-10-30 max google \(.*\) says used 100, .* rows make 0"),
    (_drop("daily_usage", 2), r"2026-10-31 local openai \(.*\) says used 0, but its ledger rows make 120"),
    (
        _put("usage_rollup", 0, tokens=1),
        r"2026-10-30 local openai .* default \(.*usage_rollup\) says tokens 1,",
    ),
    (_put("usage_rollup", 0, turns=2), r"2026-10-30 local openai .* \(.*\) says turns 2, but .* make 1"),
    (_put("usage_rollup", 1, cost=1), r"2026-10-30 sam google gemini-2.5-flash default .* says cost 1,"),
    (
        _put("own_usage", 0, used=49),
        r"sam openai own \(.*own_usage\) says used 49, but its ledger rows make 50",
    ),
    (_put("attempts", 0, held=299), r"2026-11-03 sam google \(.*daily_usage\) says held 300, .* hold 299"),
    (_put("attempts", 0, held=-5), r"attempt \w+ \(.*attempts\) holds -5 tokens"),
    (
        _put("attempts", 0, key_source="own"),
        r"attempt \w+ \(.*attempts\) holds 300 tokens with key source own",
    ),
    (_drop("attempts", 0), r"2026-11-03 sam google \(.*\) says held 300, but its open attempts hold 0"),
    (_put("_meta", 0, last_row=15), "row 15 is missing: 15 were written"),
    (_put("_meta", 0, last_row=13), "row 14 .* is above 13, the latest number that was given"),
]


def test_all_that_ctroom_writes_holds_and_nothing_is_changed(home: Path, ctroom: CommandLine) -> None:
    before = _contents(home)
    audited = ctroom("audit")
    assert (audited.returncode, audited.stdout, audited.stderr) == (0, HOLDS, "")
    report = json.loads(ctroom("audit", "--json").stdout)
    assert report == {
        "holds": True,
        "summary": HOLDS.strip(),
        "rows": 14,
        "months": 2,
        "pools": [
            {"provider": "openai", "used": 990, "purchased": 900_000},
            {"provider": "google", "used": 660, "purchased": None},
        ],
        "problem": None,
    }
    assert _contents(home) == before


def test_an_empty_ledger_holds(ctroom: CommandLine) -> None:
    empty = "The ledger holds: 0 rows, 0 months, OpenAI 0 used, Google 0 used.\n"
    assert ctroom("audit").stdout == empty


@pytest.mark.parametrize(("file", "tampering", "named"), ROWS)
def test_a_row_that_somebody_changed_is_named(
    home: Path, ctroom: CommandLine, file: str, tampering: Callable[[Tables], None], named: str
) -> None:
    _edit(home / file, tampering)
    audited = ctroom("audit")
    assert re.fullmatch(f"The ledger does not hold: ({named}).*\\.\n", audited.stdout), audited.stdout
    assert (audited.returncode, audited.stderr) == (1, "")


@pytest.mark.parametrize(("tampering", "named"), TOTALS)
def test_a_total_that_somebody_changed_is_named(
    home: Path, ctroom: CommandLine, tampering: Callable[[Tables], None], named: str
) -> None:
    _edit(home / STATE, tampering)
    audited = ctroom("audit")
    assert re.fullmatch(f"The ledger does not hold: ({named}).*\\.\n", audited.stdout), audited.stdout
    assert (audited.returncode, audited.stderr) == (1, "")


def test_the_problem_is_told_in_parts_as_well(home: Path, ctroom: CommandLine) -> None:
    _edit(home / NOVEMBER, _row(8, balance="+7"))
    audited = ctroom("audit", "--json")
    report = json.loads(audited.stdout)
    problem = report["problem"]
    row = _find(json.loads((home / NOVEMBER).read_bytes()), 8)
    assert (audited.returncode, report["holds"]) == (1, False)
    assert (problem["row"], problem["attempt"], problem["place"]) == (8, row["attempt_id"], NOVEMBER)
    assert report["summary"] == f"The ledger does not hold: {problem['text']}."


def test_a_row_that_a_broken_move_left_in_both_places_counts_once(home: Path, ctroom: CommandLine) -> None:
    moved = json.loads((home / STATE).read_bytes())["ledger"]
    _edit(
        home / NOVEMBER, lambda documents: documents["ledger"].update({"50": moved["10"], "51": moved["11"]})
    )
    assert ctroom("audit").stdout == HOLDS

    _edit(home / STATE, _row(11, cost=5))
    said = ctroom("audit").stdout
    assert re.search(r"row 11 \(.*table ledger\) is not what it is in ledger/2026-11\.json\.", said), said


def test_an_attempt_is_not_held_and_charged(home: Path, ctroom: CommandLine) -> None:
    def hold_again(documents: Tables) -> None:
        next(iter(documents["attempts"].values()))["id"] = _find(documents, 14)["attempt_id"]

    _edit(home / STATE, hold_again)
    assert "charges an attempt that is still held." in ctroom("audit").stdout


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "2026-10.json is damaged"),
        (
            lambda path: _edit(path, _put("_meta", 0, schema=99)),
            "2026-10.json was written by a newer version of Ctroom",
        ),
        (lambda path: (path.unlink(), path.mkdir()), "2026-10.json"),
    ],
)
def test_a_month_that_cannot_be_read_is_one_sentence(
    home: Path, ctroom: CommandLine, damage: Callable[[Path], object], said: str
) -> None:
    damage(home / OCTOBER)
    audited = ctroom("audit")
    assert (audited.returncode, audited.stdout) == (1, "")
    assert said in audited.stderr
    assert audited.stderr.count("\n") == 1


def test_a_month_whose_file_is_gone_is_missing_rows(home: Path, ctroom: CommandLine) -> None:
    (home / OCTOBER).unlink()
    assert "rows 1 to 5 are missing before row 6 " in ctroom("audit").stdout


def test_nobody_waits_for_an_audit_nor_it_for_anybody(home: Path, ctroom: CommandLine) -> None:
    with ProcessLock(home / "ctroom.lock").held():
        assert ctroom("audit").stdout == HOLDS
