"""Whose keys are used over SSH: the host's for all, and each member's own for themselves alone."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.ssh import Served, serving
from tests.support.working_provider import WorkingProvider, end
from tui.core.chat import ChatRequest, StreamEvent, TextDelta
from tui.core.errors import InvalidValueError
from tui.core.ports import Provider
from tui.core.usage import Usage
from tui.services.services import Services
from tui.widgets.settings.key_slots import OwnKey

HOST, SAM = "sk-host-key-0123456789abcdef", "sk-sams-key-0123456789abcdef"
KIM = "sk-kims-key-0123456789abcdef"


class Recording(WorkingProvider):
    """A provider that tells which key it was made with, and when it is closed."""

    made: list[str | None] = []
    closed: list[str | None] = []

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self._key = key
        Recording.made.append(key)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta(f"with {(self._key or '')[-4:]} {(self._key or '')[:8]}")
        for event in end(Usage(5, 5)):
            yield event

    async def aclose(self) -> None:
        Recording.closed.append(self._key)


def recording(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    return Recording(api_key)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", HOST)
    Recording.made, Recording.closed = [], []


async def ask(served: Served, user: str) -> str:
    ran = await served.run(user, "ask --provider openai hi")
    assert ran.exit_status == 0, ran.stderr
    return str(ran.stdout)


async def own(services: Services, key: str) -> str:
    await services.settings.set("keys.use_custom", "true")
    return await services.keys.save_own("openai", key)


async def test_each_turn_is_sent_with_the_key_of_its_user(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=recording) as served:
        for user in ("sam", "kim", "ada"):
            await served.add(user, "unlimited")
        for user, key in (("sam", SAM), ("kim", KIM)):
            services = served.host.make_services(user)
            assert await own(services, key) == "the system keyring"
            await served.host.settle(services)
        assert "sk-sams" in await ask(served, "sam")
        assert "sk-kims" in await ask(served, "kim")
        assert "sk-host" in await ask(served, "ada")
        assert "sk-host" in await ask(served, "ada")
        assert Recording.made.count(HOST) == 1, "one client with the host's key for all sessions"
        assert {*Recording.closed} == {SAM, KIM}, "those of own keys close with their session"
    assert HOST in Recording.closed


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A headless server: nothing keeps keys."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.mark.usefixtures("no_keyring")
async def test_without_a_keyring_an_own_key_ends_with_its_session(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=recording) as served:
        await served.add("sam")
        first, second = served.host.make_services("sam"), served.host.make_services("sam")
        assert await own(first, SAM) == "this session only"
        assert (await first.keys.credential("openai")).key == SAM
        assert (await second.keys.credential("openai")).key == HOST
        for services in (first, second):
            await served.host.settle(services)
    assert SAM not in (ctroom_home / "ctroom.json").read_text()


@pytest.mark.usefixtures("no_keyring")
async def test_a_key_for_one_session_leaves_the_others_to_the_hosts_key(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=recording) as served:
        await served.add("sam")
        app = served.host.make_services("sam")
        key = OwnKey(app, "openai")
        assert await key.keep(SAM) == "kept for this session only \u00b7 in use"
        assert (await app.keys.credential("openai")).key == SAM
        ran = await served.run("sam", "ask hi")
        assert (ran.exit_status, "sk-host" in str(ran.stdout)) == (0, True), ran.stderr
        await served.host.settle(app)
        after = served.host.make_services("sam")
        assert after.models.default_provider() == "openai"
        assert not after.keys.status("openai").missing
        await served.host.settle(after)


async def test_ask_says_that_a_chosen_key_is_missing_and_does_not_turn_to_the_demo(
    ctroom_home: Path,
) -> None:
    async with serving(ctroom_home, connect=recording) as served:
        await served.add("sam")
        services = served.host.make_services("sam")
        for name in ("keys.use_custom", "openai.use_own_key", "google.use_own_key"):
            await services.settings.set(name, "true")
        await served.host.settle(services)
        ran = await served.run("sam", "ask hi")
        assert (ran.exit_status, ran.stdout) == (4, "")
        assert str(ran.stderr).startswith("Your own OpenAI key is not set: add it in Settings")


async def test_a_member_sees_and_tests_no_key_of_the_host(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=recording) as served:
        await served.add("sam")
        await served.add("boss", admin=True)
        member, admin = served.host.make_services("sam"), served.host.make_services("boss")
        for services in (member, admin):
            await services.keys.load()
        assert admin.keys.status("openai").default_last_four == HOST[-4:]
        shown = member.keys.status("openai")
        assert (shown.default_available, shown.default_last_four, shown.default_place) == (True, "", "")
        assert not (await member.keys.test("openai", default=True)).ok
        with pytest.raises(InvalidValueError):
            await member.keys.save_default("openai", SAM)
        assert member.remote
        assert not served.services.remote
        for services in (member, admin):
            await served.host.settle(services)
