"""Google Gemini through the retired `google-generativeai` SDK, whose support ended on 2025-11-30.

It has no asynchronous REST, so each stream is read on a thread of its own; it knows no thoughts, so they come
as text and their count is recovered from the total.
"""

import asyncio
import contextlib
import threading
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeAlias

from tui.core.chat import ChatRequest, Finish, ModelInfo, StreamEvent
from tui.core.errors import ProviderError
from tui.providers import catalog
from tui.providers.failures import Target, incomplete_error
from tui.providers.google import GOOGLE_URL
from tui.providers.google_errors import blocked_error, provider_error
from tui.providers.google_mending import mended
from tui.providers.google_reply import Reply
from tui.providers.google_request import contents, system_instruction
from tui.providers.sdk import CONNECT_SECONDS, END, SdkProvider, not_installed, silence

_NOT_INSTALLED = (
    "The package google-generativeai is not installed: install ctroom[google-legacy], "
    "or choose google-genai in Settings."
)

Client: TypeAlias = Any
"""One of the SDK's service clients: it comes without types."""
Responses: TypeAlias = Any
"""The SDK's iterator over the responses of one stream."""


def connect(*, api_key: str | None, base_url: str | None, name: str) -> "GoogleLegacyProvider":
    """A provider for `tui.providers.connect`."""
    return GoogleLegacyProvider(api_key=api_key, base_url=base_url, name=name)


def warm() -> None:
    """Import the SDK, if it is installed. In a thread: it takes more than a second."""
    with contextlib.suppress(ImportError):
        _sdk()


class GoogleLegacyProvider(SdkProvider):
    """Gemini, with one key, over REST: this SDK's gRPC writes to the terminal. See `SdkProvider`."""

    OWN_URL = GOOGLE_URL
    VERSIONED = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply; see `tui.core.ports.Provider.stream`."""
        self._check_target()
        target = self._target.about(request.model)
        reader = _Reader(lambda: self._open(request))
        reply = Reply()
        try:
            while (chunk := await self._next(reader, reply, target)) is not END:
                for event in reply.read(chunk):
                    yield event
        finally:
            reader.close()
        if reply.blocked:
            raise blocked_error(target, reply.blocked)
        if reply.finish is None:
            raise incomplete_error(target)
        yield Finish(reply.finish)

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that generate content."""
        self._check_target()
        try:
            listed = await _on_thread(self._list_models)
        except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of several libraries through
            raise self._mapped(error, self._target) from None
        return tuple(
            ModelInfo(
                id=(name := model.name.removeprefix("models/")),
                context=model.input_token_limit or catalog.model_info("google", name).context,
                max_output=model.output_token_limit or None,
                name=model.display_name or None,
            )
            for model in listed
            if "generateContent" in model.supported_generation_methods
        )

    async def aclose(self) -> None:
        """Nothing is kept open between calls."""

    def _client(self, service: str) -> Client:
        """A client of this key's own; the SDK's `configure()` would be one for the whole process."""
        _sdk()
        from google.generativeai import client

        manager: Any = client._ClientManager()
        options = {"api_endpoint": self._target.base_url}
        manager.configure(api_key=self._target.api_key, transport="rest", client_options=options)
        return manager.get_default_client(service)

    def _open(self, request: ChatRequest) -> Responses:
        """Send the request. On the reader's thread."""
        protos = _sdk().protos
        instruction = system_instruction(request)
        asked = protos.GenerateContentRequest(
            model=f"models/{request.model.removeprefix('models/')}",
            contents=contents(request),
            system_instruction={"parts": [{"text": instruction}]} if instruction else None,
            generation_config=protos.GenerationConfig(
                max_output_tokens=request.max_output, temperature=request.temperature
            ),
        )
        return self._client("generative").stream_generate_content(asked, retry=None, timeout=self._first)

    def _list_models(self) -> list[Any]:
        asked = _sdk().protos.ListModelsRequest(page_size=1000)
        return list(self._client("model").list_models(asked, retry=None, timeout=CONNECT_SECONDS))

    async def _next(self, reader: "_Reader", reply: Reply, target: Target) -> object:
        try:
            async with asyncio.timeout(self._stall if reply.started else self._first):
                return await reader.next()
        except Exception as error:  # noqa: BLE001  # the SDK lets raw errors of several libraries through
            if reply.finish is None:
                raise self._mapped(error, target, accepted=reader.accepted or None) from None
            return END

    def _mapped(self, error: Exception, target: Target, accepted: bool | None = None) -> ProviderError:
        if isinstance(error, ImportError):
            return not_installed(_NOT_INSTALLED)
        if isinstance(error, ValueError) and "Unfinished stream" in str(error):
            return incomplete_error(target)
        return provider_error(error, target, accepted=accepted)


class _Reader:
    """Reads a blocking iterator on a daemon thread, which can't hold up the process's exit.

    Args:
        open_: Makes the iterator, on the thread.
    """

    def __init__(self, open_: Callable[[], Responses]) -> None:
        self.accepted = False
        """Whether the server began to answer."""
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[object] = asyncio.Queue()
        self._closed = threading.Event()
        self._responses: Responses = None
        self._thread = threading.Thread(target=self._run, args=(open_,), name="google-legacy", daemon=True)
        self._thread.start()

    async def next(self) -> object:
        """The next response, or `END`; raises what the iterator raised."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """Close the connection; the thread ends when the read that it is in returns."""
        self._closed.set()
        raw = getattr(getattr(self._responses, "_response", None), "raw", None)
        if raw is not None:
            # Closing alone would wait for the read that the thread is in.
            with contextlib.suppress(Exception):
                raw.shutdown()

    def _run(self, open_: Callable[[], Responses]) -> None:
        try:
            self._responses = _mending(open_())
            self.accepted = True
            if self._closed.is_set():
                self.close()
                return
            for response in self._responses:
                if self._closed.is_set():
                    break
                self._put(response)
            self._put(END)
        except Exception as error:  # noqa: BLE001  # it is raised where the stream is awaited
            self._put(error)
        finally:
            if (cancel := getattr(self._responses, "cancel", None)) is not None:
                cancel()

    def _put(self, item: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


class _Mended(deque[str]):
    """The responses that the SDK's iterator is about to read."""

    def popleft(self) -> str:
        return mended(super().popleft())


def _mending(responses: Responses) -> Responses:
    """The iterator, made to survive a count that is none; as it is where it has no such queue."""
    if isinstance(getattr(responses, "_ready_objs", None), deque):
        responses._ready_objs = _Mended(responses._ready_objs)
    return responses


async def _on_thread(call: Callable[[], Any]) -> Any:
    """The result of a blocking call on a daemon thread."""
    reader = _Reader(lambda: iter((call(),)))
    return await reader.next()


def _sdk() -> Any:
    """The SDK, imported without the warnings and log lines that it would write over the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import google.generativeai as sdk
    silence(("google", "urllib3", "requests"))
    return sdk
