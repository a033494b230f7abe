"""Users: who may sign in, what each may spend, and who may change that."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support.public_keys import ed25519
from tests.support.session import ManualClock, Session, add_user, session
from tui.core.chat import Message, Role, TurnOptions
from tui.core.errors import InvalidValueError, QuotaRefusedError
from tui.core.ports import Store
from tui.core.public_keys import parse_public_key
from tui.core.settings import UserRole
from tui.services import tables
from tui.services.audit import audit
from tui.services.drafts import Drafts
from tui.services.library import Library
from tui.services.personas import Personas
from tui.services.users import Users

ONE, TWO = ed25519("one", "sam@laptop"), ed25519("two")


@pytest.fixture
def users(local: Session) -> Users:
    return users_of(local)


def users_of(session: Session) -> Users:
    return Users(session.store, session.clock, session.user, session.keys.forget_user)


def fingerprint(line: str) -> str:
    return parse_public_key(line).fingerprint


def trail(store: Store) -> list[tuple[str, str, str]]:
    return [(entry.by, entry.action, entry.detail) for _, entry in store.view.audit]


async def test_a_user_is_added_and_known_by_their_keys(users: Users, store: Store) -> None:
    keys = await users.add("sam", f"{ONE}\n{TWO}\n")
    assert [key.comment for key in keys] == ["sam@laptop", ""]
    assert (users.user_of_key(fingerprint(ONE)), users.user_of_key(fingerprint(TWO))) == ("sam", "sam")
    assert users.user_of_key(fingerprint(ed25519("three"))) is None
    sam = users.get("sam")
    assert (sam.role, sam.tier, sam.keys, sam.day.limit) == (UserRole.MEMBER, "free", keys, 1_000)
    assert trail(store) == [("local", "user added", "sam (member, free)")]


async def test_the_local_user_is_there_from_the_start_and_comes_first(users: Users) -> None:
    await users.add("ann", ONE, "basic", admin=True)
    assert [(entry.name, entry.role, entry.tier) for entry in users.list()] == [
        ("local", UserRole.ADMIN, "basic"),
        ("ann", UserRole.ADMIN, "basic"),
    ]
    assert users.exists("local")
    assert users.exists("ann")
    assert not users.exists("sam")


async def test_what_can_not_be_added_changes_nothing(users: Users, store: Store) -> None:
    await users.add("sam", ONE)
    before = list(store.view.user_settings), list(store.view.public_keys), trail(store)
    for name, keys, tier, says in [
        ("sam", TWO, "free", "taken"),
        ("kim", ONE, "free", "another user's"),
        ("kim", f"{TWO}\n{ONE}", "free", "another user's"),
        ("kim", TWO, "gold", "no tier 'gold': choose from free, basic, unlimited"),
        ("Kim", TWO, "free", "small letters"),
        ("local", TWO, "free", "reserved"),
        ("kim", "", "free", "no public key"),
    ]:
        with pytest.raises(InvalidValueError, match=says):
            await users.add(name, keys, tier)
    assert (list(store.view.user_settings), list(store.view.public_keys), trail(store)) == before


async def test_keys_come_and_go(users: Users, store: Store) -> None:
    await users.add("sam", ONE)
    assert [key.key for key in await users.add_key("sam", f"{ONE}\n{TWO}")] == [TWO]
    assert await users.add_key("sam", TWO) == ()
    await users.remove_key("sam", fingerprint(ONE))
    assert users.user_of_key(fingerprint(ONE)) is None
    assert users.user_of_key(fingerprint(TWO)) == "sam"
    with pytest.raises(InvalidValueError, match="no key with that fingerprint"):
        await users.remove_key("sam", fingerprint(ONE))
    with pytest.raises(InvalidValueError, match="at most 20 keys"):
        await users.add_key("sam", "\n".join(ed25519(f"more {number}") for number in range(20)))
    assert [action for _, action, _ in trail(store)] == ["user added", "key added", "key removed"]


async def test_a_tier_holds_at_once(users: Users, store: Store, clock: ManualClock) -> None:
    await users.add("sam", ONE)
    sam = session(store, "sam", clock)
    figures = sam.accounting.snapshot().providers[0]
    assert figures.day is not None
    assert figures.day.limit == 1_000
    await users.set_tier("sam", "basic")
    figures = sam.accounting.snapshot().providers[0]
    assert figures.day is not None
    assert figures.day.limit == 10_000
    with pytest.raises(InvalidValueError, match="no tier"):
        await users.set_tier("sam", "gold")
    with pytest.raises(InvalidValueError, match="no user 'kim'"):
        await users.set_tier("kim", "basic")
    await users.set_tier("local", "unlimited")
    assert users.get("local").tier == "unlimited"


async def test_roles_and_that_there_always_is_an_admin(users: Users, local: Session) -> None:
    await users.add("ann", ONE)
    await local.accounting.set_purchased("openai", 5_000)
    await users.set_role("ann", UserRole.ADMIN)
    ann = session(local.store, "ann", local.clock)
    quotas = ann.settings.user().token_quotas
    assert quotas is not None
    assert quotas.openai_purchased == 5_000
    with pytest.raises(InvalidValueError, match="ask another admin"):
        await users_of(ann).set_role("ann", UserRole.MEMBER)
    with pytest.raises(InvalidValueError, match="always an admin"):
        await users_of(ann).set_role("local", UserRole.MEMBER)
    with pytest.raises(InvalidValueError, match="always an admin"):
        await users_of(ann).remove("local")
    with pytest.raises(InvalidValueError, match="ask another admin"):
        await users_of(ann).remove("ann")
    await users.set_role("ann", UserRole.MEMBER)
    assert not ann.settings.is_admin()
    assert ann.settings.user().token_quotas is None


async def test_a_reset_gives_the_day_back_and_the_ledger_still_holds(
    users: Users, store: Store, clock: ManualClock
) -> None:
    await users.add("sam", ONE)
    sam = session(store, "sam", clock)
    await sam.spend(990)
    with pytest.raises(QuotaRefusedError):
        await sam.hold()
    assert await users.reset("sam") == 990
    assert await users.reset("sam") == 0
    entry = users.get("sam")
    assert (entry.day.limit, entry.day.used, entry.day.remaining, entry.used) == (1_990, 990, 1_000, 990)
    await sam.spend(950)
    assert await users.reset("sam") == 950
    assert users.get("sam").day.remaining == 1_000
    assert tables.pool(store.view, "openai").used == 1_940
    report = await audit(store)
    assert report.holds, report.sentence
    assert trail(store)[1:] == [
        ("local", "day reset", "sam 2026-11-23 990"),
        ("local", "day reset", "sam 2026-11-23 950"),
    ]
    clock.move(days=1)
    assert users.get("sam").day.limit == 1_000


async def test_a_reset_arms_the_alerts_of_the_day_again(
    users: Users, store: Store, clock: ManualClock
) -> None:
    await users.add("sam", ONE)
    sam = session(store, "sam", clock)
    await sam.spend(900)
    assert [alert.level.value for alert in await sam.alerts.raise_due()] == ["low"]
    await users.reset("sam")
    assert await sam.alerts.raise_due() == ()
    await sam.spend(900)
    assert [alert.scope for alert in await sam.alerts.raise_due()] == ["day:sam"]


async def test_everyones_use_today_and_in_total(users: Users, local: Session) -> None:
    await users.add("sam", ONE)
    sam = session(local.store, "sam", local.clock)
    await sam.spend(100)
    await sam.spend(50, "google")
    await local.spend(7)
    local.clock.move(days=1)
    await sam.spend(30)
    assert [(entry.name, entry.day.used, entry.used, entry.own) for entry in users.list()] == [
        ("local", 0, 7, 0),
        ("sam", 30, 180, 0),
    ]
    total = sum(entry.used for entry in users.list())
    assert total == sum(pool.used for _, pool in local.store.view.quotas)


async def test_who_is_removed_is_out_and_what_they_used_stays(users: Users, local: Session) -> None:
    store, clock = local.store, local.clock
    await users.add("sam", ONE)
    sam = session(store, "sam", clock, secrets=local.secrets)
    await sam.keys.save_own("openai", "sk-sam-0123456789")
    await local.keys.save_own("openai", "sk-local-0123456789")
    await sam.spend(100)
    running = await sam.hold()
    library = Library(store, "sam", clock)
    kept = await library.create("openai", "gpt-5.1")

    removed = await users.remove("sam")

    assert (removed.conversations, removed.deleted) == (1, False)
    assert not users.exists("sam")
    assert users.user_of_key(fingerprint(ONE)) is None
    assert list(local.secrets.kept) == ["local/openai"]
    with pytest.raises(InvalidValueError, match="no longer a user"):
        await sam.hold()
    with pytest.raises(InvalidValueError, match="no longer a user"):
        await sam.settings.set("theme", "nord")
    with pytest.raises(InvalidValueError, match="no longer a user"):
        await sam.keys.remove_own("openai")
    assert not users.exists("sam")
    assert await sam.accounting.release(running.attempt_id)
    assert tables.pool(store.view, "openai").used == 100
    assert (await audit(store)).holds
    assert [entry.id for entry in library.conversations()] == [kept.id]
    assert trail(store)[-1] == ("local", "user removed", "sam")
    with pytest.raises(InvalidValueError, match="no user 'sam'"):
        await users.remove("sam")


async def test_what_someone_wrote_goes_with_them_where_that_is_asked_for(
    users: Users, store: Store, clock: ManualClock
) -> None:
    await users.add("sam", ONE)
    for user in ("sam", "local"):
        library = Library(store, user, clock)
        made = await library.create("openai", "gpt-5.1", TurnOptions())
        await library.save(made.id, Message("m1", Role.USER, "secret plans", clock()))
        deleted = await library.create("openai", "gpt-5.1")
        await library.delete(deleted.id)
        await Personas(store, user).save("Editor", "Edit.")
        await Drafts(store, user, clock).keep(made.id, "half a prompt")
    mine = [entry.id for _, entry in store.view.conversations if entry.user == "sam"]

    removed = await users.remove("sam", conversations=True)

    assert (removed.conversations, removed.deleted) == (2, True)
    assert {entry.user for _, entry in store.view.conversations} == {"local"}
    assert {persona.user for _, persona in store.view.personas} == {"local"}
    assert {draft.user for _, draft in store.view.drafts} == {"local"}
    assert [await store.load_messages(one) for one in mine] == [(), ()]
    assert len(Library(store, "local", clock).conversations()) == 1


async def test_whoever_holds_an_unknown_key_can_sign_up(store: Store, clock: ManualClock) -> None:
    server = Users(store, clock, "local")
    key = await server.sign_up("kim", ONE)
    assert (key.user, key.added_by) == ("kim", "kim")
    entry = server.get("kim")
    assert (entry.role, entry.tier) == (UserRole.MEMBER, "free")
    assert trail(store) == [("kim", "user signed up", f"kim {fingerprint(ONE)}")]
    for name, line, says in [
        ("kim", TWO, "taken"),
        ("sam", ONE, "another user's"),
        ("local", TWO, "reserved"),
        ("Sam", TWO, "small letters"),
    ]:
        with pytest.raises(InvalidValueError, match=says):
            await server.sign_up(name, line)


async def test_nobody_signs_up_with_a_name_that_another_left(
    users: Users, store: Store, clock: ManualClock
) -> None:
    """Their conversations would be the newcomer's."""
    for name, leave in _LEFT.items():
        await users.add(name, ed25519(name))
        await leave(session(store, name, clock))
        await users.remove(name)
        with pytest.raises(InvalidValueError, match="taken"):
            await users.sign_up(name, TWO)
    await users.add("clean", ed25519("clean"))
    await users.remove("clean")
    await users.sign_up("clean", TWO)


async def _conversation(sam: Session) -> None:
    await Library(sam.store, sam.user, sam.clock).create("openai", "gpt-5.1")


async def _use(sam: Session) -> None:
    await sam.spend(10)


async def _draft(sam: Session) -> None:
    await Drafts(sam.store, sam.user, sam.clock).keep(None, "half a prompt")


async def _persona(sam: Session) -> None:
    await Personas(sam.store, sam.user).save("Editor", "Edit.")


_LEFT: dict[str, Callable[[Session], Awaitable[None]]] = {
    "wrote": _conversation,
    "spent": _use,
    "drafted": _draft,
    "named": _persona,
}


_CHANGES: dict[str, Callable[[Users], Awaitable[object]]] = {
    "add": lambda users: users.add("max", TWO),
    "add_key": lambda users: users.add_key("sam", TWO),
    "remove_key": lambda users: users.remove_key("kim", fingerprint(ONE)),
    "remove": lambda users: users.remove("kim"),
    "set_tier": lambda users: users.set_tier("sam", "unlimited"),
    "set_role": lambda users: users.set_role("sam", UserRole.ADMIN),
    "reset": lambda users: users.reset("sam"),
}


@pytest.mark.parametrize("change", _CHANGES)
async def test_only_an_admin_changes_users(change: str, store: Store, clock: ManualClock) -> None:
    await add_user(store, "sam")
    await Users(store, clock, "local").add("kim", ONE)
    before = list(store.view.user_settings), list(store.view.public_keys), trail(store)
    for by in ("sam", "stranger"):
        with pytest.raises(InvalidValueError, match="Only an admin"):
            await _CHANGES[change](Users(store, clock, by))
    assert (list(store.view.user_settings), list(store.view.public_keys), trail(store)) == before


async def test_only_an_admin_sees_users(store: Store, clock: ManualClock) -> None:
    await add_user(store, "sam")
    sam = Users(store, clock, "sam")
    with pytest.raises(InvalidValueError, match="Only an admin"):
        sam.list()
    with pytest.raises(InvalidValueError, match="Only an admin"):
        sam.get("sam")
