"""Google Gemini through the `google-genai` SDK."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from tui.core.chat import ChatRequest, Finish, KeyCheck, ModelInfo, StreamEvent
from tui.core.errors import InvalidValueError, ProviderError, ProviderErrorKind
from tui.core.usage import read_count
from tui.providers import catalog
from tui.providers.base_url import check_base_url
from tui.providers.failures import Target, incomplete_error, verdict
from tui.providers.google_errors import blocked_error, complains_of_thinking, provider_error
from tui.providers.google_reply import Reply
from tui.providers.google_request import contents, system_instruction

if TYPE_CHECKING:
    import httpx
    from google.genai import Client

GOOGLE_URL = "https://generativelanguage.googleapis.com"
"""The Gemini API's address (ai.google.dev/api); the SDK's own default."""
CONNECT_SECONDS = 10.0
"""How long a connection, and a list of models, may take."""
FIRST_SECONDS = 180.0
"""How long the first token may take: thinking models are silent at first."""
STALL_SECONDS = 60.0
"""How long a reply that has begun may pause."""
MOST_MODELS = 2_000

_END = object()
_THINKS = re.compile(r"gemini-(?:2\.5|[3-9]|\d\d)")
"""Families that take `include_thoughts` (ai.google.dev/gemini-api/docs/thinking); others answer 400."""
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

    for logger in map(logging.getLogger, _LOGGERS):
        # A handler of the environment's would write to the terminal that the app draws on.
        logger.propagate = False
        logger.addHandler(logging.NullHandler())


class GoogleProvider:
    """Gemini, with one key.

    Args:
        api_key: The key; None is refused at the first call.
        base_url: None for Google's own address. The environment is not read.
        name: The provider's name for people.
        first: Seconds that the first token may take.
        stall: Seconds that a reply which has begun may pause.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        name: str,
        first: float = FIRST_SECONDS,
        stall: float = STALL_SECONDS,
    ) -> None:
        self._target = Target(name, base_url or GOOGLE_URL, api_key, versioned=False)
        self._first = first
        self._stall = stall
        self._client: Client | None = None
        self._http: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._thoughtless: set[str] = set()
        """Models that refused to show thoughts."""

    def __repr__(self) -> str:
        return f"<GoogleProvider {self._target.name!r}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply; see `tui.core.ports.Provider.stream`."""
        target = self._target.about(request.model)
        client = await self._connected()
        responses: list[Any] = []
        reply = Reply()
        try:
            stream, chunk = await self._open(client, request, target, responses)
            while chunk is not _END:
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

    async def check_key(self) -> KeyCheck:
        """Ask for the model list. Only a refusal of the key itself means that it is bad."""
        if self._target.api_key is None:
            return KeyCheck(ok=False, message="There is no key to test.")
        try:
            models = await self.models()
        except ProviderError as error:
            return verdict(error, self._target.name)
        count = f"{len(models):,} model{'' if len(models) == 1 else 's'}"
        return KeyCheck(ok=True, message=f"works: {count}", models=models)

    async def aclose(self) -> None:
        """Close its connections."""
        self._client = None
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _connected(self) -> "Client":
        async with self._connecting:
            if self._client is None:
                check_target(self._target)
                # The import and the loading of certificates would stall the event loop.
                try:
                    self._client = await asyncio.to_thread(self._make_client)
                except ImportError:
                    message = "The package google-genai is not installed: install ctroom again."
                    raise ProviderError(ProviderErrorKind.NOT_INSTALLED, message, accepted=False) from None
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

        Again without thoughts where a model has none, since a 4xx spends nothing.
        """
        thoughts = bool(_THINKS.match(request.model)) and request.model not in self._thoughtless
        while True:
            token = _RESPONSES.set(responses)
            try:
                stream = await client.aio.models.generate_content_stream(
                    model=request.model,
                    contents=contents(request),
                    config=_config(request, thoughts=thoughts),
                )
                async with asyncio.timeout(self._first):
                    return stream, await anext(stream, _END)
            except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of three libraries through
                # Headers of a good status mean that the request was taken.
                taken = bool(responses) and bool(responses[-1].is_success)
                failure = provider_error(error, target, accepted=True if taken else None)
                if not (thoughts and complains_of_thinking(error, failure)):
                    raise failure from None
                thoughts = False
                self._thoughtless.add(request.model)
            finally:
                _RESPONSES.reset(token)

    async def _next(self, stream: Stream, reply: Reply, target: Target) -> object:
        """The next chunk, in its time; `_END` where none follows, or none that is needed."""
        try:
            async with asyncio.timeout(self._stall if reply.started else self._first):
                return await anext(stream)
        except StopAsyncIteration:
            return _END
        except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of three libraries through
            if reply.finish is None:
                raise provider_error(error, target, accepted=True) from None
            return _END  # the reply is whole; its usage came with its finish


async def _remember(response: object) -> None:
    """Called by the HTTP client for each response, in the task that asked for it."""
    responses = _RESPONSES.get()
    if responses is not None:
        responses.append(response)


def _config(request: ChatRequest, *, thoughts: bool) -> Any:
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=system_instruction(request),
        max_output_tokens=request.max_output,
        temperature=request.temperature,
        thinking_config=types.ThinkingConfig(include_thoughts=True) if thoughts else None,
    )


def check_target(target: Target) -> None:
    """Refuse an address or a key that could not be sent.

    Raises:
        ProviderError: Nothing was sent.
    """
    try:
        check_base_url(target.base_url)
    except InvalidValueError as error:
        raise ProviderError(ProviderErrorKind.BAD_REQUEST, str(error), accepted=False) from None
    key = target.api_key or ""
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        message = f"The key for {target.name} is missing or not a key: enter it again in Settings."
        raise ProviderError(ProviderErrorKind.BAD_KEY, message, accepted=False)


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
