"""Titles that a model is asked for: when, with what, at what cost, and what happens when it goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.support.replay import Hold, Replay, Step, Talk, failure, talk
from tui.core.chat import Finish, FinishReason, ReasoningDelta, Role, TextDelta, UsageReport
from tui.core.errors import ProviderErrorKind
from tui.core.quota import KeySource
from tui.core.settings import Endpoint
from tui.core.usage import Provenance, Usage
from tui.services.titles import MOST_WORDS, QUOTED, SECONDS, THINKING_TOKENS, TITLE_TOKENS, title_from

PROMPT = "Explain lifetimes\nwith one short example."
AUTOMATIC = "Explain lifetimes"
DONE = Finish(FinishReason.STOP)
REPLY: tuple[Step, ...] = (TextDelta("A lifetime names a region."), UsageReport(Usage(30, 12)), DONE)
TITLE: tuple[Step, ...] = (TextDelta("Rust lifetimes, simply"), UsageReport(Usage(90, 5)), DONE)

_open: list[Talk] = []


@pytest.fixture(autouse=True)
async def close_sessions() -> AsyncIterator[None]:
    """Whatever a test does, nothing stays held, and the ledger is what pools and days say."""
    yield
    while _open:
        session = _open.pop()
        await session.turns.aclose()
        session.assert_settled()


async def asked(
    *scripts: Sequence[Step], titles: str = "model", name: str = "openai", model: str = "gpt-5.1"
) -> tuple[Talk, Replay]:
    """A session whose first prompt was answered; the scripts after the first are for what follows."""
    provider = Replay(*scripts)
    session = await talk(provider, name=name, model=model)
    _open.append(session)
    await session.services.settings.set("titles", titles)
    await session.reply(PROMPT)
    return session, provider


def title(session: Talk) -> str:
    return session.services.library.get(session.conversation.id).title


async def give(session: Talk) -> None:
    await session.turns.give_title(session.conversation.id)


async def test_a_title_is_asked_of_the_model_that_replied_and_charged_like_a_turn() -> None:
    session, provider = await asked(REPLY, TITLE)
    await session.accounting.set_purchased("openai", 100_000)
    await give(session)
    assert title(session) == "Rust lifetimes, simply"
    assert not session.services.library.get(session.conversation.id).titled_by_user
    request = provider.requests[1]
    assert request.model == "gpt-5.1"
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert PROMPT in request.messages[1].text
    assert "A lifetime names a region." in request.messages[1].text
    reply, row = session.ledger
    assert (row.tokens, row.provenance, row.key_source) == (95, Provenance.REPORTED, KeySource.DEFAULT)
    assert row.turn_id != reply.turn_id
    [day] = [day for _, day in session.store.view.daily_usage]
    assert day.used == 42 + 95
    [pool] = [pool for _, pool in session.store.view.quotas]
    assert pool.used == 42 + 95


async def test_without_the_wish_no_model_is_asked() -> None:
    session, provider = await asked(REPLY, TITLE, titles="prompt")
    await give(session)
    assert (title(session), len(provider.requests)) == (AUTOMATIC, 1)


async def test_a_title_of_the_users_own_is_neither_replaced_nor_paid_for() -> None:
    session, provider = await asked(REPLY, TITLE)
    await session.services.library.rename(session.conversation.id, "Mine")
    await give(session)
    assert (title(session), len(provider.requests)) == ("Mine", 1)


async def test_a_title_that_the_user_gives_meanwhile_stays() -> None:
    hold = Hold()
    session, _ = await asked(REPLY, (hold, *TITLE))
    giving = asyncio.create_task(give(session))
    await hold.reached.wait()
    await session.services.library.rename(session.conversation.id, "Mine")
    hold.release.set()
    await giving
    assert title(session) == "Mine"
    assert len(session.ledger) == 2


async def test_it_is_asked_for_once() -> None:
    session, provider = await asked(REPLY, TITLE, REPLY, TITLE)
    await give(session)
    await session.reply("And now?")
    await give(session)
    assert len(provider.requests) == 3


async def test_a_failed_reply_brings_no_title_and_the_first_whole_one_after_it_does() -> None:
    refused = failure(ProviderErrorKind.BAD_KEY, accepted=False)
    session, provider = await asked((refused,), REPLY, TITLE)
    await give(session)
    assert len(provider.requests) == 1
    await session.reply("Again, please")
    await give(session)
    assert title(session) == "Rust lifetimes, simply"


@pytest.mark.parametrize(
    ("script", "charged"),
    [
        ((failure(ProviderErrorKind.BAD_KEY, accepted=False),), 0),
        ((failure(ProviderErrorKind.SERVER),), 1),
        ((TextDelta("Rust life"), UsageReport(Usage(90, 64)), Finish(FinishReason.LENGTH)), 1),
        ((TextDelta("Rust life"),), 1),
        ((TextDelta(' \n"" **\n'), UsageReport(Usage(90, 3)), DONE), 1),
        ((RuntimeError("a bug"),), 1),
    ],
    ids=["refused by the provider", "failed", "cut off", "ended early", "says nothing", "unexpected"],
)
async def test_whatever_goes_wrong_the_automatic_title_stays(script: Sequence[Step], charged: int) -> None:
    session, provider = await asked(REPLY, script)
    await give(session)
    assert title(session) == AUTOMATIC
    assert len(provider.requests) == 2
    assert len(session.ledger) == 1 + charged


async def test_what_little_is_left_is_for_prompts() -> None:
    session, provider = await asked(REPLY, TITLE)
    await session.services.settings.set("tiers.basic", "200")
    await give(session)
    assert (title(session), len(provider.requests)) == (AUTOMATIC, 1)


async def test_a_title_is_stopped_with_the_program_and_charged() -> None:
    hold = Hold()
    session, _ = await asked(REPLY, (hold, *TITLE))
    giving = asyncio.create_task(give(session))
    await hold.reached.wait()
    await session.turns.drain()
    await giving
    assert title(session) == AUTOMATIC
    assert [row.provenance for row in session.ledger] == [Provenance.REPORTED, Provenance.ESTIMATED]


async def test_one_whose_asker_goes_away_is_charged_before_the_program_ends() -> None:
    hold = Hold()
    session, provider = await asked(REPLY, (hold, *TITLE))
    giving = asyncio.create_task(give(session))
    await hold.reached.wait()
    giving.cancel()
    await session.turns.drain()
    assert provider.closed_streams == 2
    assert len(session.ledger) == 2


async def test_a_silent_model_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = Hold()
    session, _ = await asked(REPLY, (hold, *TITLE))
    monkeypatch.setattr("tui.services.titles.SECONDS", 0.05)
    await give(session)
    assert title(session) == AUTOMATIC
    assert len(session.ledger) == 2
    assert SECONDS < 60


async def test_the_next_prompt_does_not_wait_for_a_title() -> None:
    hold = Hold()
    session, _ = await asked(REPLY, (hold, *TITLE), REPLY)
    giving = asyncio.create_task(give(session))
    await hold.reached.wait()
    assert (await session.reply("And now?")).reply.text == "A lifetime names a region."
    hold.release.set()
    await giving
    assert title(session) == "Rust lifetimes, simply"


@pytest.mark.parametrize(
    ("model", "effort", "output"),
    [("gpt-5.1", "none", TITLE_TOKENS), ("o3", "low", THINKING_TOKENS), ("gpt-4o", None, TITLE_TOKENS)],
)
async def test_a_model_is_told_to_think_as_little_as_it_can(
    model: str, effort: str | None, output: int
) -> None:
    session, provider = await asked(REPLY, TITLE, model=model)
    await give(session)
    assert (provider.requests[1].reasoning_effort, provider.requests[1].max_output) == (effort, output)


async def test_an_endpoint_is_asked_without_an_effort_that_it_may_not_know() -> None:
    provider = Replay(REPLY, (ReasoningDelta("Let me think."), *TITLE))
    session = await talk(provider)
    _open.append(session)
    await session.services.settings.set("titles", "model")
    await session.services.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:1/v1", "qwen"))
    await session.reply(PROMPT, provider="ollama", model="qwen")
    await give(session)
    assert title(session) == "Rust lifetimes, simply"
    assert (provider.requests[1].reasoning_effort, provider.requests[1].max_output) == (None, THINKING_TOKENS)


async def test_the_demo_is_not_asked() -> None:
    session, provider = await asked(REPLY, TITLE, name="demo", model="demo")
    await give(session)
    assert len(provider.requests) == 1


async def test_a_model_is_shown_the_beginnings_alone() -> None:
    session, provider = await asked((TextDelta("long " * 5_000), *REPLY[1:]), TITLE)
    await give(session)
    assert len(provider.requests[1].messages[1].text) < 2 * QUOTED + 200


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Rust lifetimes, simply", "Rust lifetimes, simply"),
        ('"Rust lifetimes."', "Rust lifetimes"),
        ("**Title:** Rust lifetimes\n\nIt is about Rust.", "Rust lifetimes"),
        ("\n\n# Rust lifetimes", "Rust lifetimes"),
        ("„Lebenszeiten in Rust“", "Lebenszeiten in Rust"),
        ("C++: move semantics", "C++: move semantics"),
        ("a b c d e f g h", "a b c d e f"),
        ("\x1b]52;c;eA==\x07Rust", "␛]52;c;eA==␇Rust"),
        (" \n ", ""),
    ],
)
def test_the_title_in_an_answer(answer: str, found: str) -> None:
    assert title_from(answer) == found
    assert len(found.split()) <= MOST_WORDS
