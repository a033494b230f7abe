"""Google Gemini through the `google-genai` SDK."""

import asyncio
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from tui.core.chat import ChatRequest, Finish, ModelInfo, StreamEvent
from tui.core.usage import read_count
from tui.providers import catalog
from tui.providers.failures import Target, incomplete_error
from tui.providers.google_errors import blocked_error, complains_of_thinking, provider_error
from tui.providers.google_mending import mended_events
from tui.providers.google_reply import Reply
from tui.providers.google_request import contents, system_instruction, thinking, thinks
from tui.providers.sdk import (
    CONNECT_SECONDS,
    END,
    FIRST_SECONDS,
    MOST_MODELS,
    STALL_SECONDS,
    SdkProvider,
    silence,
)

if TYPE_CHECKING:
    import httpx
    from google.genai import Client

GOOGLE_URL = "https://generativelanguage.googleapis.com"
"""The Gemini API's address (ai.google.dev/api); the SDK's own default."""
_LOGGERS = ("google_genai", "httpx2", "httpcore2", "httpx", "httpcore")
_RESPONSES: ContextVar[list[Any] | None] = ContextVar("responses", default=None)
"""Collects the HTTP responses of the stream being opened in this task, so that it can be closed at once."""

Stream: TypeAlias = Any
"""The SDK's asynchronous generator of responses."""


def connect(*, api_key: str | None, base_url: str | None, name: str) -> "GoogleProvider":
    """A provider for `tui.providers.connect`."""
    return GoogleProvider(api_key=api_key, base_url=base_url, name=name)


def warm() -> None:
    """Import the SDK. In a thread: it takes more than a second."""
    from google import genai  # noqa: F401  # the import itself is what is wanted

    silence(_LOGGERS)


class GoogleProvider(SdkProvider):
    """Gemini, with one key; see `SdkProvider`."""

    OWN_URL = GOOGLE_URL
    VERSIONED = False

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        name: str,
        first: float = FIRST_SECONDS,
        stall: float = STALL_SECONDS,
    ) -> None:
        super().__init__(api_key=api_key, base_url=base_url, name=name, first=first, stall=stall)
        self._client: Client | None = None
        self._http: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._thoughtless: set[str] = set()
        """Models that refused to show thoughts."""
        self._refused_efforts: set[tuple[str, str | None]] = set()
        """Models with a reasoning effort that they refused."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply; see `tui.core.ports.Provider.stream`."""
        target = self._target.about(request.model)
        client = await self._connected()
        responses: list[Any] = []
        reply = Reply()
        try:
            stream, chunk = await self._open(client, request, target, responses)
            while chunk is not END:
                for event in reply.read(chunk):
                    yield event
                chunk = await self._next(stream, reply, target)
        finally:
            # The SDK's generator leaves its connection to the garbage collector when it is closed early.
            for response in responses:
                await response.aclose()
        if reply.blocked:
            raise blocked_error(target, reply.blocked)
        if reply.finish is None:
            raise incomplete_error(target)
        yield Finish(reply.finish)

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that generate content."""
        client = await self._connected()
        found: list[ModelInfo] = []
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                async for model in await client.aio.models.list(config={"page_size": 1000}):
                    if len(found) < MOST_MODELS and (info := _model_info(model)):
                        found.append(info)
        except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of three libraries through
            raise provider_error(error, self._target) from None
        return tuple(found)

    async def aclose(self) -> None:
        """Close its connections."""
        self._client = None
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _connected(self) -> "Client":
        async with self._connecting:
            self._client = await self._made_once(self._client, self._make_client, "google-genai")
            return self._client

    def _make_client(self) -> "Client":
        warm()
        import httpx
        from google import genai
        from google.genai import types

        # A client of ours: the SDK would take aiohttp where that happens to be installed.
        self._http = httpx.AsyncClient(event_hooks={"response": [_remember]}, follow_redirects=True)

        options = types.HttpOptions(
            base_url=self._target.base_url,
            api_version="v1beta",
            timeout=int(self._first * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
            httpx_async_client=self._http,
        )
        return genai.Client(api_key=self._target.api_key, vertexai=False, http_options=options)

    async def _open(
        self, client: "Client", request: ChatRequest, target: Target, responses: list[Any]
    ) -> tuple[Stream, object]:
        """Send the request, and wait for its first chunk: the SDK sends nothing before it is asked for one.

        Again without an effort that a model does not know, then without thoughts where it has none, since a
        4xx spends nothing.
        """
        asked = (request.model, request.reasoning_effort)
        thoughts = thinks(request.model) and request.model not in self._thoughtless
        effort = request.reasoning_effort is not None and asked not in self._refused_efforts
        while True:
            token = _RESPONSES.set(responses)
            try:
                stream = await client.aio.models.generate_content_stream(
                    model=request.model,
                    contents=contents(request),
                    config=_config(request, thinking(request, effort=effort) if thoughts else None),
                )
                async with asyncio.timeout(self._first):
                    return stream, await anext(stream, END)
            except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of three libraries through
                # Headers of a good status mean that the request was taken.
                taken = bool(responses) and bool(responses[-1].is_success)
                failure = provider_error(error, target, accepted=True if taken else None)
                if not (thoughts and complains_of_thinking(error, failure)):
                    raise failure from None
                if effort:
                    effort = False
                    self._refused_efforts.add(asked)
                else:
                    thoughts = False
                    self._thoughtless.add(request.model)
            finally:
                _RESPONSES.reset(token)

    async def _next(self, stream: Stream, reply: Reply, target: Target) -> object:
        """The next chunk, in its time; `END` where none follows, or none that is needed."""
        try:
            async with asyncio.timeout(self._stall if reply.started else self._first):
                return await anext(stream)
        except StopAsyncIteration:
            return END
        except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of three libraries through
            if reply.finish is None:
                raise provider_error(error, target, accepted=True) from None
            return END  # the reply is whole; its usage came with its finish


async def _remember(response: Any) -> None:
    """Called by the HTTP client for each response, in the task that asked for it."""
    responses = _RESPONSES.get()
    if responses is not None:
        responses.append(response)
        # The SDK reads a stream by this method.
        read = response.aiter_bytes
        response.aiter_bytes = lambda *args: mended_events(read(*args))


def _config(request: ChatRequest, asked_thinking: dict[str, Any] | None) -> Any:
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=system_instruction(request),
        max_output_tokens=request.max_output,
        temperature=request.temperature,
        thinking_config=types.ThinkingConfig(**asked_thinking) if asked_thinking else None,
    )


def _model_info(model: object) -> ModelInfo | None:
    """A listed model that generates content, with the limits that Google gives."""
    name = getattr(model, "name", None)
    actions = getattr(model, "supported_actions", None)
    if not isinstance(name, str) or not name or (actions and "generateContent" not in actions):
        return None
    model_id = name.removeprefix("models/")
    known = catalog.model_info("google", model_id)
    shown = getattr(model, "display_name", None)
    return ModelInfo(
        id=model_id,
        context=read_count(getattr(model, "input_token_limit", None)) or known.context,
        max_output=read_count(getattr(model, "output_token_limit", None)) or known.max_output,
        name=shown if isinstance(shown, str) and shown else known.name,
    )
