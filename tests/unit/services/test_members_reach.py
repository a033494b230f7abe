"""A member reaches nothing of another user or of the host, whatever method of the services they try.

The widgets of a member's session don't offer any of this; here each method is called as if they did.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.public_keys import ed25519
from tests.support.session import DictSecrets, ManualClock, add_user, reported
from tui import providers
from tui.core.chat import (
    NOTHING,
    Attachment,
    AttachmentKind,
    Conversation,
    Message,
    Role,
    TurnOptions,
    new_id,
)
from tui.core.errors import InvalidValueError
from tui.core.quota import KeySource
from tui.core.settings import Endpoint, UserRole
from tui.core.turns import ReplyEnded, TurnEvent
from tui.services import tables
from tui.services.accounting import Accounting, AdmissionRequest
from tui.services.alerts import Alerts
from tui.services.attachments import Attachments, ReadFile
from tui.services.build import build
from tui.services.code_files import save_code
from tui.services.conversation import Turns
from tui.services.drafts import Drafts
from tui.services.exporting import write_new, write_numbered
from tui.services.keys import Keys
from tui.services.library import Library
from tui.services.models import Models
from tui.services.personas import Personas
from tui.services.reports import usage_json
from tui.services.search import Search
from tui.services.services import Services
from tui.services.settings import SettingsService
from tui.services.users import Users
from tui.storage.store import JsonStore

SECRET = "the-launch-code-is-swordfish"
PURCHASED, SPENT = 987_654, 1_357
ADDRESS = "http://127.0.0.1:9/internal-name"
HOST_KEY = "sk-env-openai-0123456789wxyz"


@dataclass
class Place:
    """A data directory with an admin, kim who has things, and sam who tries to reach them."""

    home: Path
    host: Services
    kim: Services
    sam: Services
    conversation: Conversation
    prompt: Message
    deleted: Conversation
    digest: str
    attempt: str
    """One of kim's that is held."""
    ended: str
    """One of kim's that was charged."""

    def kims(self) -> dict[str, object]:
        """Everything of kim's."""
        view = self.host.store.view
        files = {path.name: path.read_bytes() for path in (self.home / "conversations").iterdir()}
        return {
            "settings": view.user_settings.find(lambda one: one.user == "kim"),
            "conversations": [one for _, one in view.conversations if one.user == "kim"],
            "personas": [one for _, one in view.personas if one.user == "kim"],
            "drafts": [one for _, one in view.drafts if one.user == "kim"],
            "attempts": [one for _, one in view.attempts if one.user == "kim"],
            "ledger": [one for _, one in view.ledger if one.user == "kim"],
            "days": [one for _, one in view.daily_usage if one.user == "kim"],
            "files": {name: data for name, data in files.items() if not name.startswith(self.sams)},
        }

    @property
    def sams(self) -> tuple[str, ...]:
        view = self.host.store.view
        return tuple(one.id for _, one in view.conversations if one.user == "sam")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = ManualClock()
    store = await JsonStore.open(tmp_path, clock)
    secrets = DictSecrets()
    environ = {"OPENAI_API_KEY": HOST_KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9"}
    for user in ("kim", "sam"):
        await add_user(store, user, "basic" if user == "kim" else "free")
    host, kim, sam = (
        build(store, secrets, providers.connect, clock, environ, user) for user in ("local", "kim", "sam")
    )
    await host.accounting.set_purchased("openai", PURCHASED)
    await host.settings.set("tiers.gold", "77777")
    await host.settings.put_endpoint(Endpoint("inner", ADDRESS))
    await host.keys.save_default("google", "AIza-stored-0123456789")
    for services in (host, kim, sam):
        await services.keys.load()
    await kim.keys.save_own("openai", "sk-kim-0123456789abcd")
    conversation = await kim.library.create("openai", "gpt-5.1")
    digest = await store.keep_attachment(SECRET.encode())
    attached = Attachment(new_id(), "plan.txt", AttachmentKind.TEXT, "text/plain", len(SECRET), digest, 9)
    prompt = Message(new_id(), Role.USER, SECRET, clock(), attachments=(attached,))
    await kim.library.save(conversation.id, prompt)
    deleted = await kim.library.create("openai", "gpt-5.1")
    await kim.library.delete(deleted.id)
    await kim.personas.save("Spy", SECRET)
    await Drafts(store, "kim", clock).keep(conversation.id, SECRET)
    ended = await kim.accounting.admit(_asked(conversation.id))
    await kim.accounting.settle(ended.attempt_id, reported(1_000, SPENT - 1_000))
    attempt = await kim.accounting.admit(_asked(conversation.id))
    yield Place(
        tmp_path, host, kim, sam, kim.library.get(conversation.id), prompt, deleted, digest,
        attempt.attempt_id, ended.attempt_id,
    )  # fmt: skip
    for services in (host, kim, sam):
        await services.turns.aclose()
    await store.aclose()


def _asked(conversation_id: str) -> AdmissionRequest:
    return AdmissionRequest(
        new_id(), "openai", "gpt-5.1", KeySource.DEFAULT, 1_000, 500, conversation_id=conversation_id
    )


def _reply(place: Place) -> Message:
    return replace(place.prompt, text="forged", role=Role.ASSISTANT)


Try = Callable[[Place], Awaitable[object]]


async def _now(value: object) -> object:
    return value


async def _holding(settings: SettingsService) -> None:
    settings.hold("tier", "gold")


async def _asking(settings: SettingsService) -> None:
    settings.check_admin("do that")


REFUSED: dict[str, Try] = {
    "Library.get": lambda at: _now(at.sam.library.get(at.conversation.id)),
    "Library.find": lambda at: at.sam.library.find(at.conversation.id),
    "Library.open": lambda at: at.sam.library.open(at.conversation.id),
    "Library.rename": lambda at: at.sam.library.rename(at.conversation.id, "mine"),
    "Library.give_title": lambda at: at.sam.library.give_title(at.conversation.id, "mine"),
    "Library.pin": lambda at: at.sam.library.pin(at.conversation.id, pinned=True),
    "Library.tag": lambda at: at.sam.library.tag(at.conversation.id, ["mine"]),
    "Library.choose_model": lambda at: at.sam.library.choose_model(at.conversation.id, "demo", "demo"),
    "Library.choose_options": lambda at: at.sam.library.choose_options(
        at.conversation.id, TurnOptions(system_prompt="mine")
    ),
    "Library.delete": lambda at: at.sam.library.delete(at.conversation.id),
    "Library.restore": lambda at: at.sam.library.restore(at.deleted.id),
    "Library.discard": lambda at: at.sam.library.discard(at.conversation.id),
    "Library.purge": lambda at: at.sam.library.purge(at.deleted.id),
    "Library.save": lambda at: at.sam.library.save(at.conversation.id, _reply(at)),
    "Library.save_partial": lambda at: at.sam.library.save_partial(at.conversation.id, _reply(at)),
    "Library.branch_off": lambda at: at.sam.library.branch_off(at.conversation.id, _reply(at)),
    "Library.choose_branch": lambda at: at.sam.library.choose_branch(at.conversation.id, at.prompt.id),
    "Turns.forecast": lambda at: at.sam.turns.forecast(at.conversation.id, "openai", "gpt-5.1", "x"),
    "Accounting.purchases": lambda at: _now(at.sam.accounting.purchases()),
    "Accounting.set_purchased": lambda at: at.sam.accounting.set_purchased("openai", 5),
    "Accounting.add_purchased": lambda at: at.sam.accounting.add_purchased("openai", 5),
    "Keys.save_default": lambda at: at.sam.keys.save_default("openai", "sk-sams-0123456789"),
    "Keys.remove_default": lambda at: at.sam.keys.remove_default("google"),
    "Keys.forget_user": lambda at: at.sam.keys.forget_user("kim", ["openai"]),
    "SettingsService.check_admin": lambda at: _asking(at.sam.settings),
    "SettingsService.hold": lambda at: _holding(at.sam.settings),
    "SettingsService.put_endpoint": lambda at: at.sam.settings.put_endpoint(Endpoint("evil", ADDRESS)),
    "SettingsService.remove_endpoint": lambda at: at.sam.settings.remove_endpoint("inner"),
    "Personas.get": lambda at: _now(at.sam.personas.get("Spy")),
    "Attachments.read": lambda at: _attachments(at).read("/etc/hostname", "demo", "demo"),
    "Attachments.keep": lambda at: _attachments(at).keep(
        ReadFile("a", AttachmentKind.TEXT, "text/plain", b"x", 1)
    ),
    "Users.list": lambda at: _now(at.sam.users.list()),
    "Users.get": lambda at: _now(at.sam.users.get("kim")),
    "Users.conversations_of": lambda at: at.sam.users.conversations_of("kim"),
    "Users.used_by_removed": lambda at: _now(at.sam.users.used_by_removed()),
    "Users.add": lambda at: at.sam.users.add("max", ed25519("new")),
    "Users.add_key": lambda at: at.sam.users.add_key("sam", ed25519("new")),
    "Users.remove_key": lambda at: at.sam.users.remove_key("kim", "SHA256:x"),
    "Users.remove": lambda at: at.sam.users.remove("kim"),
    "Users.set_tier": lambda at: at.sam.users.set_tier("sam", "unlimited"),
    "Users.set_role": lambda at: at.sam.users.set_role("sam", UserRole.ADMIN),
    "Users.reset": lambda at: at.sam.users.reset("sam"),
}
"""What is refused in words."""

HARMLESS = {
    "Library": "today create",
    "Turns": "warm_up unsaved waiting subscribe_unsaved save_pending drain aclose recover",
    "Accounting": "admit sweep subscribe",
    "Keys": "load source durable where_new_keys_go choose_own subscribe",
    "SettingsService": "user is_admin tier_limit display_zone providers describe release subscribe",
    "Models": "list known problem info efforts default providers default_provider kind",
    "Attachments": "allowed",
    "Users": "user_of_key exists role sign_up",
}
"""What tells or changes nothing but the user's own, or what the server itself asks before anyone is in."""

TESTED_BELOW = {
    "Library": "conversations older last_deleted",
    "Turns": "send again carry_on give_title stop is_running",
    "Accounting": "checkpoint progress settle release snapshot headroom tells_room forecast",
    "Keys": "status credential test save_own remove_own",
    "SettingsService": "host names get choices check set",
    "Alerts": "due raise_due",
    "Personas": "list save remove",
    "Drafts": "get keep",
    "Search": "search",
    "Attachments": "measured missing",
}
SERVICES = (
    Library, Turns, Accounting, Keys, SettingsService, Alerts, Models, Personas, Drafts, Search, Attachments,
    Users,
)  # fmt: skip


def _attachments(place: Place) -> Attachments:
    return Attachments(place.sam.store, "sam")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)
def test_no_method_is_forgotten(service: type) -> None:
    name = service.__name__
    public = {member for member, _ in inspect.getmembers(service) if not member.startswith("_")}
    refused = {tried.partition(".")[2] for tried in REFUSED if tried.partition(".")[0] == name}
    known = [*refused, *HARMLESS.get(name, "").split(), *TESTED_BELOW.get(name, "").split()]
    assert sorted(known) == sorted(public)


@pytest.mark.parametrize("tried", REFUSED)
async def test_it_is_refused_and_nothing_is_changed(place: Place, tried: str) -> None:
    before, pools = place.kims(), list(place.host.store.view.quotas)
    users, keys = list(place.host.store.view.user_settings), list(place.host.store.view.public_keys)
    host = place.host.settings.host()
    with pytest.raises(InvalidValueError) as caught:
        await REFUSED[tried](place)
    of_the_host = tried.startswith(("Accounting.", "Keys.", "SettingsService.", "Users."))
    assert ("Only an admin" in str(caught.value)) is of_the_host
    assert SECRET not in str(caught.value)
    assert place.kims() == before
    view = place.host.store.view
    assert (list(view.quotas), list(view.user_settings), list(view.public_keys)) == (pools, users, keys)
    assert place.host.settings.host() == host


async def test_an_admin_does_not_read_what_others_wrote(place: Place) -> None:
    library = place.host.library
    assert library.conversations() == ()
    with pytest.raises(InvalidValueError, match="gone"):
        await library.open(place.conversation.id)
    assert place.host.personas.list() == ()


# What someone wrote


async def test_lists_and_searches_have_only_ones_own(place: Place) -> None:
    mine = await place.sam.library.create("demo", "demo")
    assert [entry.id for entry in place.sam.library.conversations()] == [mine.id]
    assert await place.sam.library.older() == ()
    assert place.sam.library.last_deleted() is None
    found = [part async for part in Search(place.sam.library, place.sam.store).search("swordfish")]
    assert [part.found for part in found] == [()] * len(found)
    kims = [part async for part in Search(place.kim.library, place.kim.store).search("swordfish")]
    assert [one.conversation.id for part in kims for one in part.found] == [place.conversation.id]


async def test_personas_and_drafts_of_the_same_name_are_different_ones(place: Place) -> None:
    before = place.kims()
    sam = place.sam.personas
    assert sam.list() == ()
    await sam.save("Spy", "Sam's own.")
    await sam.save("Spy", "Sam's own too.", instead_of="spy")
    await sam.remove("Spy")
    drafts = Drafts(place.sam.store, "sam", place.sam.clock)
    assert drafts.get(place.conversation.id) == NOTHING
    await drafts.keep(place.conversation.id, "Sam's own.")
    await drafts.keep(place.conversation.id, "")
    assert place.kims() == before


async def test_files_of_anothers_draft_are_not_had_and_not_kept_by_a_forged_one(place: Place) -> None:
    kims, clock = place.conversation.id, place.sam.clock
    file = place.prompt.attachments[0]
    await Drafts(place.host.store, "local", clock).keep(kims, "see this", (file,))
    drafts = Drafts(place.sam.store, "sam", clock)
    assert drafts.get(kims) == NOTHING
    await drafts.keep(kims, "mine", (file,))
    assert {draft.user: draft.attachments for _, draft in place.host.store.view.drafts} == {
        "kim": (),
        "local": (file,),
        "sam": (),
    }
    await drafts.keep(kims, "")
    assert place.host.store.load_attachment(place.digest) == SECRET.encode()


async def _events(turn: Any) -> list[TurnEvent]:
    return [event async for event in turn]


async def test_turns_in_anothers_conversation_fail_before_they_begin(place: Place) -> None:
    before = place.kims()
    turns, kims = place.sam.turns, place.conversation.id
    for turn in (
        turns.send(kims, "what was said here?", provider="demo", model="demo"),
        turns.send(kims, "edited", provider="demo", model="demo", instead_of=place.prompt.id),
        turns.again(kims, place.prompt.id, provider="demo", model="demo"),
        turns.carry_on(kims, place.prompt.id),
    ):
        events = await _events(turn)
        assert isinstance(events[-1], ReplyEnded)
        assert "gone" in (events[-1].reply.error or "")
        assert len(events) == 1
        assert SECRET not in repr(events)
    await turns.give_title(kims)
    turns.stop(kims)
    assert not turns.is_running(kims)
    assert place.kims() == before


async def test_a_file_is_not_had_by_its_digest(place: Place) -> None:
    mine = await place.sam.library.create("demo", "demo")
    forged = replace(place.prompt.attachments[0], id=new_id())
    assert [one.tokens for one in await _attachments(place).measured([forged], "demo", "demo")] == [None]
    assert await _attachments(place).missing([place.prompt]) == {place.digest}
    planner = place.sam.turns._services.planner
    message = replace(place.prompt, text="read it to me", attachments=(forged,))
    limits = place.sam.turns._services.limits("demo", "demo", 100)
    sent = planner.plan([message], "", "demo", "demo", limits)
    assert SECRET not in repr(sent)
    assert "can't be shown" in sent.messages[0].text
    events = await _events(place.sam.turns.send(mine.id, "read it to me", attachments=(forged,)))
    assert SECRET not in repr(events)


# Figures and amounts


async def test_figures_are_ones_own_and_the_pool_is_a_percentage(place: Place) -> None:
    snapshot = place.sam.accounting.snapshot()
    figures = snapshot.provider("openai")
    assert figures is not None
    assert (figures.used, figures.held, figures.purchased, figures.remaining) == (0, 0, None, None)
    assert figures.pool_percent == 99.9
    assert figures.day is not None
    assert (figures.day.used, figures.day.limit) == (0, 1_000)
    printed = repr(usage_json(snapshot)) + repr(snapshot)
    assert str(PURCHASED) not in printed
    assert str(SPENT) not in printed
    (openai, *_) = usage_json(snapshot)["providers"]
    assert (openai["purchased"], openai["remaining"]) == (None, None)
    assert place.sam.settings.user().token_quotas is None


async def test_what_a_scarce_pool_has_left_is_not_told(place: Place) -> None:
    """A day that binds is the user's own; a pool that binds would tell the amount."""
    await place.kim.accounting.release(place.attempt)
    await place.host.accounting.set_purchased("openai", SPENT + 333)
    forecast = place.sam.accounting.forecast("openai", 10, 4_000)
    assert (forecast.left, forecast.scope) == (None, "pool")
    assert not place.sam.accounting.tells_room("openai")
    mine = await place.sam.library.create("openai", "gpt-5.1")
    told = await place.sam.turns.forecast(mine.id, "openai", "gpt-5.1", "word " * 2_000)
    assert told.fits is None
    assert told.refused
    assert "333" not in told.refused
    assert "fewer are left" in told.refused
    await place.host.accounting.set_purchased("openai", SPENT + 33)
    told = await place.sam.turns.forecast(mine.id, "openai", "gpt-5.1", "word")
    assert told.refused
    assert "33" not in told.refused
    await place.host.accounting.add_purchased("openai", 100_000)
    assert place.sam.accounting.tells_room("openai")
    assert place.sam.accounting.forecast("openai", 10, 400).left == 590
    assert place.sam.accounting.headroom("openai") == 1_000


async def test_anothers_attempts_are_nobodys(place: Place) -> None:
    before, sam = place.kims(), place.sam.accounting
    for attempt in (place.attempt, place.ended):
        assert not await sam.checkpoint(attempt, reported(5, 5).usage)
        sam.progress(attempt, reported(5, 5).usage)
        assert await sam.settle(attempt, reported(5, 5)) == 0
        assert not await sam.release(attempt)
    figures = sam.snapshot().provider("openai")
    assert figures is not None
    assert figures.pending == 0
    assert place.kims() == before
    assert await place.kim.accounting.release(place.attempt)


async def test_alerts_of_the_pool_reach_every_admin_and_no_member(place: Place) -> None:
    await add_user(place.host.store, "ann", "basic", UserRole.ADMIN)
    ann = build(place.host.store, DictSecrets(), providers.connect, place.host.clock, {}, "ann")
    pool = tables.pool(place.host.store.view, "openai")
    await place.host.accounting.set_purchased("openai", pool.used + 100)
    await place.kim.accounting.release(place.attempt)
    assert place.sam.alerts.due() == ()
    assert await place.sam.alerts.raise_due() == ()
    for admin in (place.host, ann):
        raised = [alert.scope for alert in await admin.alerts.raise_due()]
        assert raised == ["pool:openai" if admin is place.host else "pool:openai:ann"]
        assert await admin.alerts.raise_due() == ()


# Settings and keys


async def test_a_members_settings_say_nothing_of_the_host(place: Place) -> None:
    settings = place.sam.settings
    names = settings.names()
    assert not [name for name in names if name.startswith(("tiers.", "endpoints.")) or "base_url" in name]
    text = repr(settings.host()) + repr([settings.get(name) for name in names])
    assert ADDRESS not in text
    assert "gold" not in text
    assert "77777" not in text
    assert settings.choices("tier") == ("free",)
    assert settings.tier_limit() == 1_000
    hidden = sorted(set(place.host.settings.names()) - set(names))
    assert "tiers.gold" in hidden
    assert "endpoints.inner.base_url" in hidden
    for name in hidden:
        with pytest.raises(InvalidValueError, match="Only an admin can see"):
            settings.get(name)
        with pytest.raises(InvalidValueError, match="Only an admin can change"):
            await settings.set(name, "1")
        with pytest.raises(InvalidValueError, match="Only an admin can change"):
            settings.check(name, "1")
    for name in ("tier", "time_zone", "host_name"):
        with pytest.raises(InvalidValueError, match="Only an admin can change"):
            await settings.set(name, "basic")


async def test_settings_are_ones_own(place: Place) -> None:
    before = place.kims()
    await place.sam.settings.set("theme", "nord")
    await place.sam.settings.set("keys.use_custom", "true")
    assert place.kims() == before
    assert place.kim.settings.get("theme") != "nord"


async def test_own_keys_are_kept_under_the_users_name(place: Place) -> None:
    before = place.kims()
    await place.sam.keys.save_own("openai", "sk-sam-0123456789efgh")
    await place.sam.settings.set("keys.use_custom", "true")
    await place.kim.settings.set("keys.use_custom", "true")
    sams, kims = [await one.keys.credential("openai") for one in (place.sam, place.kim)]
    assert (sams.key, kims.key) == ("sk-sam-0123456789efgh", "sk-kim-0123456789abcd")
    await place.sam.keys.remove_own("openai")
    assert (await place.sam.keys.credential("openai")).key == HOST_KEY
    await place.kim.settings.set("keys.use_custom", "false")
    assert place.kims() == before


async def test_a_default_key_is_used_and_never_shown(place: Place) -> None:
    for provider in ("openai", "google"):
        status = place.sam.keys.status(provider)
        assert status.default_available
        assert (status.default_place, status.default_last_four, status.default_stored) == ("", "", False)
        assert place.host.keys.status(provider).default_last_four
        check = await place.sam.keys.test(provider, default=True)
        assert not check.ok
        assert "Only an admin" in check.message
    credential = await place.sam.keys.credential("openai")
    assert credential.key == HOST_KEY
    assert HOST_KEY not in repr(credential)
    await place.sam.models.list("openai")
    assert HOST_KEY not in (place.sam.models.problem("openai") or "")


# The host's disk


async def test_nothing_is_written_to_the_hosts_disk(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "authorized_keys"
    for write in (
        lambda: save_code(str(target), "ssh-ed25519 AAAA", "sam"),
        lambda: save_code(str(target), "ssh-ed25519 AAAA", "sam", replace=True),
        lambda: write_new(target, "ssh-ed25519 AAAA", "sam"),
        lambda: write_numbered(tmp_path, target.name, "ssh-ed25519 AAAA", "sam"),
    ):
        with pytest.raises(InvalidValueError, match="can't be saved on the host"):
            write()
    assert not target.exists()
