"""An OpenAI-compatible server that notes what it charged and how it was capped, and may ignore the cap."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.peers.wire import Hold, Request, Response, Wire, answer, sse

PROMPT = 20
"""Tokens that a prompt of one word is charged: fewer than it is estimated at."""

Spend = Callable[[int], int]
"""How many output tokens a request with that cap is charged."""


@dataclass(frozen=True, slots=True)
class Served:
    """One answered request."""

    cap: int
    """Output tokens that it asked for at most."""
    prompt: int
    completion: int

    @property
    def tokens(self) -> int:
        """What the provider reported, and charges."""
        return self.prompt + self.completion

    @property
    def excess(self) -> int:
        """Output tokens beyond the cap."""
        return max(0, self.completion - self.cap)


def within_cap(seed: int) -> Spend:
    """A provider that keeps to the cap, and often needs less."""
    chance = random.Random(seed)
    return lambda cap: chance.randint(1, cap)


def beyond_cap(excess: int) -> Spend:
    """A provider that always spends so many tokens more than it was asked to."""
    return lambda cap: cap + excess


class MeteredPeer:
    """The server; a context manager.

    Args:
        spend: Chooses what each request is charged for its output.
        prompt: What each is charged for its input.
        together: Requests that have to be there before the first of them is answered.
    """

    def __init__(self, spend: Spend, prompt: int = PROMPT, together: int = 0) -> None:
        self._wire = Wire(self._respond)
        self._spend = spend
        self._prompt = prompt
        self._together = together
        self._served: list[Served] = []

    def __enter__(self) -> Self:
        self._wire.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.__exit__(kind, error, trace)

    @property
    def openai_url(self) -> str:
        return self._wire.openai_url

    @property
    def served(self) -> list[Served]:
        """What it charged, in the order of the requests."""
        return list(self._served)

    @property
    def tokens(self) -> int:
        """All that it charged."""
        return sum(each.tokens for each in self.served)

    @property
    def excess(self) -> int:
        """All that it charged beyond the caps; never less than what the accounts have seen of it."""
        return sum(each.excess for each in self.served)

    def answer_together(self) -> None:
        """Wait until all the requests that are answered together have come, and answer them."""
        self._wire.wait_requests(self._together, timeout=100)
        self._wire.release()

    def _respond(self, request: Request) -> Response:
        if not request.path.endswith("/chat/completions"):
            return answer({"error": {"message": "No such route."}}, 404)
        body = request.json()
        cap = body.get("max_completion_tokens") or body["max_tokens"]
        served = Served(cap, self._prompt, self._spend(cap))
        self._served.append(served)
        held = [Hold()] if self._together else []
        return sse(
            _choice(content="Well, "), *held, _choice(content="yes."), _ended(), _usage(served), "[DONE]"
        )


def _choice(**delta: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def _ended() -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def _usage(served: Served) -> dict[str, Any]:
    usage = {
        "prompt_tokens": served.prompt,
        "completion_tokens": served.completion,
        "total_tokens": served.tokens,
    }
    return {"choices": [], "usage": usage}
