"""OpenAI, and every server that speaks its Chat Completions, through the `openai` SDK."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from tui.core.chat import ChatRequest, Finish, ModelInfo, StreamEvent
from tui.core.errors import ProviderErrorKind
from tui.core.usage import read_count
from tui.providers import catalog
from tui.providers.base_url import OPENAI_URL, is_openai
from tui.providers.failures import Target, incomplete_error, malformed_error
from tui.providers.openai_errors import body_error, provider_error, read_body
from tui.providers.openai_reply import Reply
from tui.providers.openai_request import (
    adapted,
    other_name,
    parameters,
    refusal,
    refused_parameter,
    without,
)
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
    from openai import AsyncOpenAI

USAGE_SECONDS = 5.0
"""How long to wait for the usage of a reply that is whole."""
BURST_SECONDS = 0.01
"""How long chunks that have come already may be read without a turn of the event loop."""
_LOGGERS = ("openai", "httpx2", "httpcore2")
_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window")
"""Where vLLM, OpenRouter and Groq put a model's context size; OpenAI does not say it."""

Stream: TypeAlias = Any
"""The SDK's `AsyncStream`: its types stay out of what is imported here."""


def connect(*, api_key: str | None, base_url: str | None, name: str) -> "OpenAIProvider":
    """A provider for `tui.providers.connect`."""
    return OpenAIProvider(api_key=api_key, base_url=base_url, name=name)


def warm() -> None:
    """Import the SDK with what a chat needs of it. In a thread: it takes more than a second."""
    import openai
    import openai.resources.chat.completions
    import openai.resources.models  # noqa: F401  # the client would import both on the event loop

    silence(_LOGGERS)


class OpenAIProvider(SdkProvider):
    """OpenAI or a compatible server, with one key; see `SdkProvider`."""

    OWN_URL = OPENAI_URL

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
        self._client: AsyncOpenAI | None = None
        self._connecting = asyncio.Lock()
        self._refused: dict[str, set[tuple[str, str]]] = {}
        """What a model's server refused; see `openai_request.refusal`."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply; see `tui.core.ports.Provider.stream`."""
        target = self._target.about(request.model)
        client = await self._connected()
        stream = await self._open(client, request, target)
        reply = Reply()
        loop = asyncio.get_running_loop()
        rested = loop.time()
        try:
            chunk = await _unstreamed(stream, target) or await self._next(stream, reply, target)
            while chunk is not END:
                for event in reply.read(chunk):
                    yield event
                if loop.time() - rested > BURST_SECONDS:
                    await asyncio.sleep(0)
                    rested = loop.time()
                chunk = await self._next(stream, reply, target)
        finally:
            await stream.close()
        if reply.finish is None:
            raise incomplete_error(target)
        yield Finish(reply.finish)

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models on offer; of OpenAI's own, those that chat."""
        target = self._target
        client = await self._connected()
        try:
            page = await client.models.list(extra_headers=self._headers(), timeout=CONNECT_SECONDS)
        except Exception as error:  # noqa: BLE001  # no SDK's exception leaves an adapter
            raise provider_error(error, target) from None
        listed = getattr(page, "data", None)
        if not isinstance(listed, list):
            raise malformed_error(target, accepted=False)
        found = [info for model in listed[:MOST_MODELS] if (info := _model_info(model))]
        if not is_openai(target.base_url):
            return tuple(found)
        return tuple(info for info in found if catalog.chats(info.id))

    async def aclose(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _wants_key(self) -> bool:
        return is_openai(self._target.base_url)

    def _headers(self) -> dict[str, Any]:
        """Leave out what the SDK takes from this machine's environment: it need not be the key owner's."""
        from openai import Omit

        headers: dict[str, Any] = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        if self._target.api_key is None:
            headers["Authorization"] = Omit()
        return headers

    async def _connected(self) -> "AsyncOpenAI":
        async with self._connecting:
            self._client = await self._made_once(self._client, self._make_client, "openai")
            return self._client

    def _make_client(self) -> "AsyncOpenAI":
        warm()
        import openai

        client = openai.AsyncOpenAI(
            api_key=self._target.api_key or "none",
            admin_api_key="",
            base_url=self._target.base_url,
            max_retries=0,
            timeout=openai.Timeout(self._first, connect=CONNECT_SECONDS),
        )
        _ = client.chat.completions, client.models
        return client

    async def _open(self, client: "AsyncOpenAI", request: ChatRequest, target: Target) -> Stream:
        """Send the request; again without a parameter that the server refused, since a 4xx spends nothing."""
        create: Any = client.chat.completions.create
        sent = parameters(request, official=is_openai(target.base_url))
        refused = self._refused.setdefault(request.model, set())
        sent = adapted(sent, refused)
        while True:
            try:
                return await create(**sent, extra_headers=self._headers())
            except Exception as error:  # noqa: BLE001  # no SDK's exception leaves an adapter
                name = _refused_name(error, sent)
                if name is None or {(name, ""), (other_name(name), "")} & refused:
                    raise provider_error(error, target) from None
                refused.add(refusal(sent, name))
                sent = without(sent, name)

    async def _next(self, stream: Stream, reply: Reply, target: Target) -> object:
        """The next chunk, in its time; `END` where none follows, or none that is needed."""
        limit = USAGE_SECONDS if reply.finish else self._stall if reply.started else self._first
        try:
            async with asyncio.timeout(limit):
                return await anext(stream)
        except StopAsyncIteration:
            return END
        except Exception as error:  # noqa: BLE001  # no SDK's exception leaves an adapter
            if reply.finish is None:
                raise provider_error(error, target, accepted=True) from None
            return END  # the reply is whole; only its usage is missing


async def _unstreamed(stream: Stream, target: Target) -> object:
    """The whole reply of a server that does not stream; None where it does.

    Raises:
        ProviderError: It is an error that came with status 200, or a page.
    """
    content_type = stream.response.headers.get("content-type", "")
    if content_type.startswith("text/event-stream") or not re.search("json|html", content_type):
        return None
    try:
        body = json.loads(await stream.response.aread())
    except Exception as error:  # noqa: BLE001  # no SDK's exception leaves an adapter
        raise provider_error(error, target, accepted=True) from None
    if isinstance(body, dict) and body.get("error"):
        raise body_error(body["error"], target)
    return body


def _refused_name(error: Exception, sent: Mapping[str, Any]) -> str | None:
    """The parameter to leave out, where that is what the server complains about."""
    if provider_error(error, Target("", "", None)).kind is not ProviderErrorKind.BAD_REQUEST:
        return None
    said = read_body(getattr(error, "body", None))
    return refused_parameter(sent, getattr(error, "status_code", 0), said.param, said.text)


def _model_info(model: object) -> ModelInfo | None:
    """A listed model, with what the server says of its context, else what is known of it."""
    name = getattr(model, "id", None)
    if not isinstance(name, str) or not name:
        return None
    known = catalog.model_info("openai", name)
    said = (read_count(getattr(model, field, None)) for field in _CONTEXT_FIELDS)
    context = next((count for count in said if count), known.context)
    return ModelInfo(name, context, known.max_output, known.name)
