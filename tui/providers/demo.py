"""The demo: answers offline about Ctroom itself, counts its own tokens, and fails when asked to."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from itertools import islice

from tui.core.chat import (
    CARRY_ON,
    ChatMessage,
    ChatRequest,
    Finish,
    FinishReason,
    KeyCheck,
    ModelInfo,
    Role,
    StreamEvent,
    TextDelta,
    UsageReport,
)
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.usage import Provenance, Usage
from tui.providers import demo_texts

MODEL = ModelInfo("demo", context=32_768, max_output=8_192, name="Demo (offline)")
"""The one model."""
INSTANT = "demo:instant"
"""As base URL: no pauses between tokens."""
TOKENS_PER_SECOND = 60.0
"""About what hosted models stream at."""
SLOW_PER_SECOND = 4.0
"""The pace of `/slow`."""
MOST_TOKENS = 8_192
"""The longest reply of `/long`."""
_STEP_SECONDS = 0.05
"""Tokens are sent in steps: a timer for each would cost more than the tokens."""
_PER_MESSAGE = 3
"""Tokens that the demo counts for the frame of a message."""

_TOKEN = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+\Z")
_COMMAND = re.compile(r"/(fail|slow|long|silent)\b[ \t]*([\w-]*)")

_FAILURES: Mapping[str, tuple[ProviderErrorKind, str]] = {
    "rate-limit": (
        ProviderErrorKind.RATE_LIMIT,
        "The demo is taking no more requests for a moment: wait, then try again.",
    ),
    "key": (ProviderErrorKind.BAD_KEY, "The demo says that this key is not valid: check it in Settings."),
    "quota": (ProviderErrorKind.PROVIDER_QUOTA, "The demo's account has no credit left: use another key."),
    "server": (ProviderErrorKind.SERVER, "The demo has a problem of its own: try again in a moment."),
    "timeout": (ProviderErrorKind.TIMEOUT, "The demo did not answer in time: try again in a moment."),
    "network": (ProviderErrorKind.NETWORK, "The connection to the demo was lost: try again in a moment."),
    "malformed": (
        ProviderErrorKind.MALFORMED,
        "The demo sent an answer that can't be read: try again, or choose another model.",
    ),
    "incomplete": (
        ProviderErrorKind.INCOMPLETE,
        "The demo ended the reply before it was whole: what had come is kept.",
    ),
}
"""What `/fail NAME` does."""
_IN_THE_MIDDLE = frozenset({"timeout", "network", "malformed", "incomplete"})
_FIRST_TOKENS = 12
"""Tokens before a failure in the middle of a reply."""
_RETRY_SECONDS = 2.0


def connect(*, api_key: str | None, base_url: str | None, name: str) -> "DemoProvider":  # noqa: ARG001  # it needs neither
    """A demo for `tui.providers.connect`."""
    return DemoProvider(pace=0 if base_url == INSTANT else TOKENS_PER_SECOND)


def warm() -> None:
    """Nothing to import."""


def count(text: str) -> int:
    """Tokens of a text as the demo counts them: up to six letters or digits, or one other character."""
    return sum(1 for _ in split(text))


def count_messages(messages: tuple[ChatMessage, ...]) -> int:
    """Tokens of a prompt as the demo counts them."""
    return sum(count(message.text) + _PER_MESSAGE for message in messages)


def split(text: str) -> Iterator[str]:
    """The tokens of a text; joined they are the text."""
    return (match[0] for match in _TOKEN.finditer(text))


class DemoProvider:
    """A provider without a network.

    Commands in the last prompt: `/fail NAME`, `/slow`, `/long TOKENS`, `/silent` (no usage).

    Args:
        pace: Tokens per second; 0 means without pauses.
    """

    def __init__(self, *, pace: float = TOKENS_PER_SECOND) -> None:
        self._pace = pace

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply; see `tui.core.ports.Provider.stream`."""
        prompt, said = _asked(request.messages)
        command = _COMMAND.match(prompt.strip())
        name, value = (command[1], command[2]) if command else ("", "")
        failure = _failure(value) if name == "fail" else None
        if failure and not failure.accepted:
            raise failure
        tokens = list(split(_reply(prompt, name, value, request).removeprefix(said)))
        limit = min(request.max_output, _FIRST_TOKENS if failure else len(tokens))
        spent_in, sent = count_messages(request.messages), 0
        async for piece in self._paced(tokens[:limit], SLOW_PER_SECOND if name == "slow" else self._pace):
            sent += len(piece)
            yield TextDelta("".join(piece))
            if name != "silent":
                yield UsageReport(Usage(spent_in, sent), Provenance.COUNTED)
        if failure:
            raise failure
        yield Finish(FinishReason.LENGTH if limit < len(tokens) else FinishReason.STOP)

    async def models(self) -> tuple[ModelInfo, ...]:
        """The one model."""
        return (MODEL,)

    async def check_key(self) -> KeyCheck:
        """The demo needs no key."""
        return KeyCheck(ok=True, message="works: the demo needs no key", models=(MODEL,))

    async def aclose(self) -> None:
        """Nothing to close."""

    async def _paced(self, tokens: list[str], pace: float) -> AsyncGenerator[list[str], None]:
        """The tokens in pieces, each after the time it takes."""
        size = max(1, round(pace * _STEP_SECONDS)) if pace else 16
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            await asyncio.sleep(len(piece) / pace if pace else 0)
            yield piece


def _failure(name: str) -> ProviderError:
    kind, message = _FAILURES.get(name, _FAILURES["server"])
    wait = _RETRY_SECONDS if kind is ProviderErrorKind.RATE_LIMIT else None
    return ProviderError(kind, message, retry_after=wait, accepted=name in _IN_THE_MIDDLE)


def _asked(messages: tuple[ChatMessage, ...]) -> tuple[str, str]:
    """The prompt to answer; and what was said in answer to it before, where that is to be continued."""
    prompts = [message.text for message in messages if message.role is Role.USER]
    if len(prompts) > 1 and prompts[-1] == CARRY_ON:
        return prompts[-2], messages[-2].text
    return (prompts[-1] if prompts else ""), ""


def _reply(prompt: str, name: str, value: str, request: ChatRequest) -> str:
    if name == "long":
        wanted = int(value) if value.isdecimal() else 1_000
        return "".join(_long(min(wanted, MOST_TOKENS)))
    turns = sum(1 for m in request.messages if m.role is Role.USER and m.text != CARRY_ON)
    return demo_texts.answer(prompt, turns)


def _long(wanted: int) -> Iterator[str]:
    """Exactly so many tokens of prose."""
    text = demo_texts.PARAGRAPH * (1 + wanted // count(demo_texts.PARAGRAPH))
    return islice(split(text), wanted)
