"""The demo: labelled, exactly counted, paced, and failing when asked to."""

import asyncio
import time

import pytest

from tests.unit.providers.replies import ask, collect, reason, request, text, usage
from tui.core.chat import (
    CARRY_ON,
    ChatMessage,
    ChatRequest,
    FinishReason,
    Role,
    StreamEvent,
    TextDelta,
    UsageReport,
)
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.usage import Provenance, Usage
from tui.providers import connect, demo, demo_texts
from tui.providers.demo import DemoProvider


@pytest.fixture
def instant() -> DemoProvider:
    return DemoProvider(pace=0)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Hello", "# Welcome to Ctroom"),
        ("How do I add my own key?", "# Your own API keys"),
        ("What do the numbers mean?", "# What the numbers mean"),
        ("Which keys can I press?", "# Keys"),
        ("Show me some code", "```python"),
        ("Why is the sky blue?", "# Welcome to Ctroom"),
    ],
)
async def test_it_answers_about_ctroom_and_says_what_it_is(
    instant: DemoProvider, prompt: str, expected: str
) -> None:
    events = await ask(instant, prompt, max_output=4_096)
    assert text(events).startswith(demo_texts.LABEL)
    assert expected in text(events)
    assert reason(events) is FinishReason.STOP


async def test_later_in_a_conversation_it_admits_what_it_does_not_know(instant: DemoProvider) -> None:
    talk = (
        ChatMessage(Role.USER, "Hello"),
        ChatMessage(Role.ASSISTANT, "Hello."),
        ChatMessage(Role.USER, "Why is the sky blue?"),
    )
    assert "only know Ctroom" in text(await ask(instant, talk, max_output=4_096))


async def test_its_usage_is_exactly_what_it_sent(instant: DemoProvider) -> None:
    events = await ask(instant, "Hello, demo!", max_output=4_096)
    reports = [event for event in events if isinstance(event, UsageReport)]
    assert {report.provenance for report in reports} == {Provenance.COUNTED}
    assert usage(events) == Usage(
        input=demo.count_messages((ChatMessage(Role.USER, "Hello, demo!"),)), output=demo.count(text(events))
    )


@pytest.mark.parametrize("sample", ["", "a b", "  x\n\n", "naïve 漢字 🙂", "abcdefghijklmn", "\n", "x  "])
def test_the_tokens_of_a_text_are_the_text(sample: str) -> None:
    assert "".join(demo.split(sample)) == sample
    assert demo.count(sample) == len(list(demo.split(sample)))


async def test_the_limit_on_output_is_kept_to_the_token(instant: DemoProvider) -> None:
    events = await ask(instant, "Hello", max_output=20)
    measured = usage(events)
    assert measured is not None
    assert measured.output == 20
    assert reason(events) is FinishReason.LENGTH


@pytest.mark.parametrize("wanted", [1, 100, 2_000])
async def test_a_long_reply_has_as_many_tokens_as_asked(instant: DemoProvider, wanted: int) -> None:
    events = await ask(instant, f"/long {wanted}", max_output=8_192)
    assert demo.count(text(events)) == wanted
    assert reason(events) is FinishReason.STOP


async def test_a_silent_reply_reports_nothing(instant: DemoProvider) -> None:
    events = await ask(instant, "/silent")
    assert text(events)
    assert usage(events) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rate-limit", ProviderErrorKind.RATE_LIMIT),
        ("key", ProviderErrorKind.BAD_KEY),
        ("quota", ProviderErrorKind.PROVIDER_QUOTA),
        ("server", ProviderErrorKind.SERVER),
        ("anything", ProviderErrorKind.SERVER),
    ],
)
async def test_a_refusal_costs_nothing(instant: DemoProvider, name: str, kind: ProviderErrorKind) -> None:
    events: list[StreamEvent] = []
    with pytest.raises(ProviderError) as caught:
        await collect(instant, f"/fail {name}", events)
    assert caught.value.kind is kind
    assert caught.value.accepted is False
    assert (caught.value.retry_after is not None) is (kind is ProviderErrorKind.RATE_LIMIT)
    assert events == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("network", ProviderErrorKind.NETWORK),
        ("timeout", ProviderErrorKind.TIMEOUT),
        ("malformed", ProviderErrorKind.MALFORMED),
        ("incomplete", ProviderErrorKind.INCOMPLETE),
    ],
)
async def test_a_failure_in_the_middle_has_cost_what_came(
    instant: DemoProvider, name: str, kind: ProviderErrorKind
) -> None:
    events: list[StreamEvent] = []
    with pytest.raises(ProviderError) as caught:
        await collect(instant, f"/fail {name}", events)
    assert caught.value.kind is kind
    assert caught.value.accepted is True
    measured = usage(events)
    assert measured is not None
    assert measured.output == demo.count(text(events)) > 0


async def test_it_streams_at_its_pace() -> None:
    started = time.monotonic()
    events = await ask(DemoProvider(pace=400), "/long 100")
    assert 0.2 < time.monotonic() - started < 5
    assert sum(isinstance(event, TextDelta) for event in events) >= 5


async def test_it_can_be_stopped() -> None:
    stream = DemoProvider().stream(request("/slow"))
    first = await anext(stream)
    await stream.aclose()
    assert isinstance(first, TextDelta)
    task = asyncio.create_task(ask(DemoProvider(), "/slow"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_connects_without_pauses_when_asked() -> None:
    quick = connect("demo", api_key=None, base_url=demo.INSTANT, name="Demo")
    started = time.monotonic()
    await ask(quick, "/long 2000", max_output=4_000)
    assert time.monotonic() - started < 2  # paced, it would take 33 s
    assert (await quick.check_key()).ok
    assert [model.id for model in await quick.models()] == ["demo"]
    await quick.aclose()


async def test_it_continues_a_reply_where_it_was_cut_off(instant: DemoProvider) -> None:
    whole = text(await ask(instant, "Show me some code"))
    parts = (
        ChatMessage(Role.USER, "Show me some code"),
        ChatMessage(Role.ASSISTANT, whole[:50]),
        ChatMessage(Role.USER, CARRY_ON),
    )
    events = [event async for event in instant.stream(ChatRequest("demo", parts, max_output=4_000))]
    assert text(events) == whole[50:]
