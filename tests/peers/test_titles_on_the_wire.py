"""Titles that a real server is asked for: over the services, and as they reach the screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.peers.servers import AIMock, LLMock
from tests.support.replay import RealPauses, Talk, talk
from tests.ui.app_harness import running
from tui.core.usage import Provenance
from tui.providers import connect

pytestmark = pytest.mark.peers

PROMPT = "Explain lifetimes with one short example."


@pytest.fixture
async def session() -> AsyncIterator[Talk]:
    """A session with a pool, whose user wants a model's titles."""
    made = await talk(connect=connect, pauses=RealPauses())
    await made.accounting.set_purchased("openai", 1_000_000)
    await made.services.settings.set("titles", "model")
    yield made
    await made.turns.aclose()
    made.assert_settled()


def title(session: Talk) -> str:
    return session.services.library.get(session.conversation.id).title


async def test_a_title_and_its_usage(session: Talk, llmock: LLMock) -> None:
    llmock.reply("A lifetime names a region of code.").reply('"Rust lifetimes, simply"')
    await session.services.settings.set("openai.base_url", llmock.openai_url)
    reply = await session.reply(PROMPT)
    await session.turns.give_title(session.conversation.id)
    assert title(session) == "Rust lifetimes, simply"
    _, row = session.ledger
    assert row.provenance is Provenance.REPORTED
    figures = session.accounting.snapshot().provider("openai")
    assert figures is not None
    assert figures.used == reply.charged + row.tokens
    llmock.assert_resilient()


async def test_a_server_that_refuses_a_title_costs_nothing_and_is_not_asked_again(
    session: Talk, llmock: LLMock
) -> None:
    llmock.reply("A lifetime names a region of code.")
    await session.services.settings.set("openai.base_url", llmock.openai_url)
    await session.reply(PROMPT)
    llmock.fail(429)
    await session.turns.give_title(session.conversation.id)
    assert title(session) == PROMPT
    assert len(session.ledger) == 1
    assert len(llmock.requests()) == 2


async def test_exact_usage_of_a_title(session: Talk, aimock: AIMock) -> None:
    await session.services.settings.set("openai.base_url", aimock.openai_url)
    reply = await session.reply("exact")
    await session.turns.give_title(session.conversation.id)
    assert reply.charged == 1_234 + 567
    assert len(session.ledger) == 2
    assert session.ledger[1].provenance is Provenance.REPORTED


async def test_a_title_reaches_the_list_and_the_line_above_the_conversation(
    tmp_path: Path, llmock: LLMock
) -> None:
    llmock.reply("A lifetime names a region of code.").reply("Rust lifetimes, simply")
    environ = {"OPENAI_API_KEY": "sk-host-0123456789abcdef", "OPENAI_BASE_URL": llmock.openai_url}
    async with running(tmp_path, environ=environ) as ui:
        await ui.services.settings.set("titles", "model")
        await ui.send(PROMPT)
        await ui.until(lambda: ui.screen_text().count("Rust lifetimes, simply") == 2)
        assert PROMPT in ui.screen_text()  # the prompt itself
        assert ui.chat.pane.title_line.title == "Rust lifetimes, simply"
