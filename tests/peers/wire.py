"""A small HTTP server that sends exactly the bytes a test scripts, and sees when the client closes.

It runs on its own thread and event loop, so that tests with and without a loop can use it. Its waiting
methods block: in a coroutine, call them through `asyncio.to_thread`.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

WAIT_SECONDS = 10.0
"""How long the waiting methods wait, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Sends nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Sends nothing until `Wire.release()` is called."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Resets the connection, without an end of the body."""


Step = bytes | Pause | Hold | Abort
"""What a response does next; bytes are sent as one chunk."""


@dataclass(frozen=True, slots=True)
class Response:
    """One scripted HTTP response; see `sse`, `answer` and `raw`."""

    steps: tuple[Step, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),)
    framed: bool = True
    """Whether each piece is sent as an HTTP chunk; otherwise the steps are the whole response."""


def sse(*events: object) -> Response:
    """Stream server-sent events: a dict becomes `data: {json}`, a str `data: str`; bytes and steps stay."""
    return Response(tuple(_event(event) for event in events))


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with one JSON document, or with `body` as it stands when it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json"} | dict(headers or {})
    return Response((content,), status, tuple(fields.items()))


def raw(*steps: Step) -> Response:
    """Send these bytes and nothing else: no status line, no headers, no framing of ours."""
    return Response(steps, framed=False)


def _event(event: object) -> Step:
    if isinstance(event, bytes | Pause | Hold | Abort):
        return event
    text = event if isinstance(event, str) else json.dumps(event)
    return f"data: {text}\n\n".encode()


@dataclass(slots=True)
class Request:
    """A request as it came in, and what became of its response."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    sent: int = 0
    """Steps of the response that were carried out."""
    client_left: bool = False
    """Whether the client closed the connection before the response's end."""
    ended: threading.Event = field(default_factory=threading.Event)

    def json(self) -> Any:
        return json.loads(self.body)

    def wait_client_left(self, timeout: float = WAIT_SECONDS) -> bool:
        """Wait until the exchange is over; tell whether the client was the one who ended it."""
        assert self.ended.wait(timeout), f"{self.method} {self.path} has not ended after {timeout} s."
        return self.client_left


class Wire:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Without a handler, the responses given to `script()` are sent one by one; the last one stays.

    Args:
        handler: Chooses the response to each request.
    """

    def __init__(self, handler: Callable[[Request], Response] | None = None) -> None:
        self._handler = handler or self._next_scripted
        self._script: deque[Response] = deque()
        self._requests: list[Request] = []
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._exchanges: set[asyncio.Task[None]] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(WAIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(WAIT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    def script(self, *responses: Response) -> Self:
        """Replace what is to be sent."""
        self._script = deque(responses)
        return self

    def release(self) -> None:
        """Let every response that holds go on, those to come included."""
        self._loop.call_soon_threadsafe(self._released.set)

    @property
    def requests(self) -> list[Request]:
        return list(self._requests)

    def wait_requests(self, count: int = 1, timeout: float = WAIT_SECONDS) -> list[Request]:
        """Wait until so many requests have come in, and return all."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self._requests) >= count, timeout)
            assert enough, f"{len(self._requests)} of {count} requests after {timeout} s."
            return self.requests

    def _next_scripted(self, request: Request) -> Response:
        if not self._script:
            return answer({"error": {"message": f"Nothing is scripted for {request.path}."}}, 404)
        return self._script.popleft() if len(self._script) > 1 else self._script[0]

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        self._server.close()
        for exchange in self._exchanges:
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._exchanges.add(task)
        task.add_done_callback(self._exchanges.discard)
        try:
            request = await read_request(reader)
            with self._arrived:
                self._requests.append(request)
                self._arrived.notify_all()
            await self._respond(request, self._handler(request), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a client that leaves while its request is read: the script has nothing to say to it
        finally:
            writer.close()

    async def _respond(
        self, request: Request, response: Response, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        gone = asyncio.create_task(_client_gone(reader))
        try:
            if response.framed:
                writer.write(_head(response))
            for step in response.steps:
                await self._carry_out(step, response, writer, gone)
                if gone.done():
                    raise ConnectionResetError
                request.sent += 1
            if response.framed and not writer.is_closing():
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except ConnectionError:
            request.client_left = True
        finally:
            gone.cancel()
            request.ended.set()

    async def _carry_out(
        self, step: Step, response: Response, writer: asyncio.StreamWriter, gone: asyncio.Task[None]
    ) -> None:
        match step:
            case bytes():
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if response.framed else step)
                await writer.drain()
            case Pause(seconds):
                await asyncio.wait({gone}, timeout=seconds)
            case Hold():
                released = asyncio.create_task(_wait(self._released))
                await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
                released.cancel()
            case Abort():
                await asyncio.sleep(0)  # one turn of the loop, so that what was written before is sent
                writer.transport.abort()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _client_gone(reader: asyncio.StreamReader) -> None:
    """End when the client closes its side; a half-closed connection counts as closed."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        return


def _head(response: Response) -> bytes:
    fields = [*response.headers, ("transfer-encoding", "chunked"), ("connection", "close")]
    lines = [f"HTTP/1.1 {response.status} Scripted", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one HTTP/1.1 request with its body.

    Raises:
        asyncio.IncompleteReadError: The client left before its end.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, parse_qs(parts.query), headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
