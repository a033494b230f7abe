"""Going back to a backup: what was deleted or damaged comes back, and nothing that came after it is lost."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.places import Place, assert_sums_hold, facts, rows_of
from tests.support.public_keys import ed25519
from tests.support.session import add_user, reported, session
from tests.unit.storage.support import message
from tui.core.errors import CtroomError
from tui.core.ports import State
from tui.core.public_keys import parse_public_key
from tui.core.quota import KeySource
from tui.core.settings import LOCAL_USER, UserRole
from tui.services import tables
from tui.services.accounting import AdmissionRequest
from tui.services.audit import audit
from tui.services.library import Library
from tui.services.users import Users


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "ctroom")


async def test_charges_purchases_and_alerts_since_the_backup_stay(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        await local.spend(1_000)
        place.back_up()
        await local.spend(300)
        await local.accounting.add_purchased("openai", 5_000, "a top-up")
        await local.accounting.set_purchased("google", 700)
        await local.spend(40, "google")
        before, rows = facts(local.store.view), await rows_of(local.store)

        told = place.restore()

        assert not told.changed
        await local.store.refresh()
        assert facts(local.store.view) == before
        assert await rows_of(local.store) == rows
        assert_sums_hold(local.store.view, rows)


async def test_settings_go_back_but_not_who_may_do_what(place: Place) -> None:
    def change(state: State) -> None:
        mine = tables.user_settings(state, LOCAL_USER, place.clock())
        tables.change_user(state, replace(mine, theme="nord", tier="unlimited"))
        host = tables.host_settings(state)
        tables.change_host(state, replace(host, host_name="Sam", tiers={**host.tiers, "gold": 9}))

    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        place.back_up()
        await local.store.transaction(change)
        await add_user(local.store, "kim", "basic")

        told = place.restore()

        assert told.kept
        await local.store.refresh()
        mine = tables.user_settings(local.store.view, LOCAL_USER, place.clock())
        assert (mine.theme, mine.tier) == ("textual-dark", "unlimited")
        host = tables.host_settings(local.store.view)
        assert (host.host_name, host.tiers["gold"]) == ("", 9)
        assert local.store.view.user_settings.find(lambda user: user.user == "kim")
        assert local.store.view.audit.find(lambda entry: entry.action == "restore")


async def test_nobody_who_was_shut_out_comes_back_in(place: Place) -> None:
    async with place.opened() as local:
        users = Users(local.store, place.clock, LOCAL_USER)
        await users.add("sam", ed25519("sam"))
        await users.add("kim", f"{ed25519('kim')}\n{ed25519('lost')}", "basic", admin=True)
        await local.accounting.set_purchased("openai", 100_000)
        place.back_up()
        await users.remove("sam")
        await users.remove_key("kim", parse_public_key(ed25519("lost")).fingerprint)
        await users.set_role("kim", UserRole.MEMBER)
        kim = session(local.store, "kim", place.clock)
        await kim.spend(900)
        assert await users.reset("kim") == 900
        await users.add("max", ed25519("max"))

        assert place.restore().kept

        await local.store.refresh()
        owners = {
            name: users.user_of_key(parse_public_key(ed25519(name)).fingerprint)
            for name in ("sam", "kim", "lost", "max")
        }
        assert owners == {"sam": None, "kim": "kim", "lost": None, "max": "max"}
        assert not kim.settings.is_admin()
        assert kim.settings.user().token_quotas is None
        day = users.get("kim").day
        assert (day.used, day.limit) == (900, 10_900)
        assert (await audit(local.store)).holds


async def test_what_was_deleted_or_purged_comes_back_and_what_was_written_since_stays(place: Place) -> None:
    async with place.opened() as local:
        library = Library(local.store, LOCAL_USER, place.clock)
        kept, deleted, purged = [await library.create("demo", "demo") for _ in range(3)]
        for entry in (kept, deleted, purged):
            await library.save(entry.id, message(1, f"Prompt of {entry.id}"))
        place.back_up()
        await library.save(kept.id, replace(message(2, "Since"), parent_id="m1"))
        await library.delete(deleted.id)
        await library.delete(purged.id)
        await library.purge(purged.id)
        new = await library.create("demo", "demo")
        await library.save(new.id, message(1, "New"))

        told = place.restore()

        assert (told.returned_conversations, told.returned_messages, told.kept_conversations) == (2, 1, 1)
        await local.store.refresh()
        assert {entry.id for entry in library.conversations()} == {kept.id, deleted.id, purged.id, new.id}
        texts = [message.text for message in (await library.open(kept.id)).messages]
        assert texts == [f"Prompt of {kept.id}", "Since"]
        for entry in (deleted, purged):
            opened = await library.open(entry.id)
            assert [message.text for message in opened.messages] == [f"Prompt of {entry.id}"]
        assert [message.text for message in (await library.open(new.id)).messages] == ["New"]


async def test_a_damaged_state_gives_up_what_can_still_be_read(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        await local.spend(1_000)
        place.back_up()
        await local.spend(300)
        library = Library(local.store, LOCAL_USER, place.clock)
        entry = await library.create("demo", "demo")
        await library.save(entry.id, message(1, "Since"))
        rows = await rows_of(local.store)
    content = (place.home / "ctroom.json").read_bytes()
    # Everything after the ledger is gone, the index of conversations with it.
    damaged = place.damage(content.index(b'"usage_rollup"'))

    told = place.restore()

    assert told.damaged == ("ctroom.json",)
    assert (told.rows, told.tokens, told.kept_conversations) == (1, 300, 1)
    assert [copy.read_bytes() for copy in place.home.glob("ctroom.json.corrupt-*")] == [damaged]
    assert (place.home / "backups" / told.kept / "ctroom.json").read_bytes() == damaged
    async with place.opened() as local:
        assert await rows_of(local.store) == rows
        assert_sums_hold(local.store.view, rows)
        remade = local.store.view.conversations.find(lambda other: other.id == entry.id)
        assert remade
        assert (remade[1].title, remade[1].message_count, remade[1].head_id) == ("Since", 1, "m1")
    assert not place.restore().changed


async def test_a_bad_record_costs_itself_alone(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        place.back_up()
        for tokens in (100, 20, 3):
            await local.spend(tokens)
    path = place.home / "ctroom.json"
    document = json.loads(path.read_bytes())
    document["ledger"]["2"]["tokens"] = "twenty"
    path.write_text(json.dumps(document))

    told = place.restore()

    assert (told.rows, told.tokens, told.unreadable, told.unproved) == (2, 103, 1, (("openai", 20),))
    async with place.opened() as local:
        rows = await rows_of(local.store)
        assert [row.tokens for row in rows] == [100, 3]
        assert_sums_hold(local.store.view, rows)


async def test_a_damaged_conversation_comes_back_with_what_was_written_since(place: Place) -> None:
    async with place.opened() as local:
        library = Library(local.store, LOCAL_USER, place.clock)
        entry = await library.create("demo", "demo")
        for number in range(1, 3):
            await library.save(entry.id, replace(message(number), parent_id=f"m{number - 1}"))
        place.back_up()
        await library.save(entry.id, replace(message(3), parent_id="m2"))
        path = place.home / "conversations" / f"{entry.id}.json"
        content = path.read_bytes()
        damaged = content.replace(b'"id": "m1"', b'"id": 1, ""')
        path.write_bytes(damaged)
        with pytest.raises(CtroomError, match="ctroom restore"):
            await library.open(entry.id)

        told = place.restore()

        assert told.damaged == (f"conversations/{entry.id}.json",)
        await local.store.refresh()
        assert [m.id for m in (await library.open(entry.id)).all_messages] == ["m1", "m2", "m3"]
        assert [copy.read_bytes() for copy in path.parent.glob("*.corrupt-*")] == [damaged]


async def test_a_hold_of_the_backup_that_ended_since_is_not_charged_again(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        settled, released, still_open = [await local.hold() for _ in range(3)]
        place.back_up()
        await local.accounting.settle(settled.attempt_id, reported(10, 20))
        await local.accounting.release(released.attempt_id)
        later = await local.hold()
        before = facts(local.store.view)
        place.spoil_the_pool()

        assert place.restore().changed
        await local.store.refresh()

        assert {**facts(local.store.view), "audit": []} == {**before, "audit": []}
        assert {attempt.id for _, attempt in local.store.view.attempts} == {
            still_open.attempt_id,
            later.attempt_id,
        }
        place.clock.move(hours=1)
        assert await local.accounting.sweep() == 2
        assert await local.accounting.settle(settled.attempt_id, reported(10, 20)) == 30
        assert_sums_hold(local.store.view, await rows_of(local.store))
        assert tables.pool(local.store.view, "openai").held == 0


async def test_where_the_present_is_lost_only_attempts_without_a_row_are_charged_by_recovery(
    place: Place,
) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        settled, lost = [await local.hold() for _ in range(2)]
        place.back_up()
        await local.accounting.settle(settled.attempt_id, reported(10, 20))
        for _ in range(250):
            await local.spend(2, "google")
        await place.store.archive_ledger()
    (place.home / "ctroom.json").unlink()

    told = place.restore()

    assert told.rows == 51  # the archived ones; the others were in the file that is gone
    place.clock.move(hours=1)
    async with place.opened() as local:
        assert [attempt.id for _, attempt in local.store.view.attempts] == [lost.attempt_id]
        assert await local.accounting.sweep() == 1
        rows = await rows_of(local.store)
        assert [row.attempt_id for row in rows].count(settled.attempt_id) == 1
        assert_sums_hold(local.store.view, rows)


async def test_a_late_settle_since_the_backup_is_posted_once(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        orphan = await local.hold()
        place.clock.move(hours=1)
        await local.accounting.sweep()
        for _ in range(250):
            await local.spend(2, "google")
        await place.store.archive_ledger()
        place.back_up()
        assert await local.accounting.settle(orphan.attempt_id, reported(10, 20)) == 30
        before, rows = facts(local.store.view), await rows_of(local.store)
        place.spoil_the_pool()

        told = place.restore()

        assert (told.rows, told.tokens) == (1, 30 - orphan.attempt.held)
        await local.store.refresh()
        assert {**facts(local.store.view), "audit": []} == {**before, "audit": []}
        assert await rows_of(local.store) == rows
        assert_sums_hold(local.store.view, rows)


async def test_a_conversation_without_an_entry_goes_to_whom_its_turns_were_charged_to(place: Place) -> None:
    async with place.opened() as local:
        await add_user(local.store, "kim", "basic")
        await local.spend(1)
        place.back_up()
        kim = session(local.store, "kim", place.clock)
        request = AdmissionRequest("t1", "openai", "a-model", KeySource.OWN, 1, 1, conversation_id="hers")
        hold = await kim.accounting.admit(request)
        await kim.accounting.settle(hold.attempt_id, reported(1, 1))
        await local.store.save_messages("hers", [message(1, "Hers")])

        assert place.restore().kept_conversations == 1

        await local.store.refresh()
        (found,) = Library(local.store, "kim", place.clock).conversations()
        assert (found.id, found.title) == ("hers", "Hers")


async def test_what_was_spent_over_months_stays_counted_though_a_hand_changed_the_figures(
    place: Place,
) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        await local.spend(10)
        place.back_up()
        for _ in range(5):
            place.clock.move(days=30)
            await local.spend(7)
        rows = await rows_of(local.store)
        place.spoil_the_pool()

        assert place.restore().changed

        await local.store.refresh()
        assert tables.pool(local.store.view, "openai").used == 45
        assert_sums_hold(local.store.view, rows)
