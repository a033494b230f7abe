"""An OpenAI-compatible server that streams as many tokens as the prompt asks for, at the pace it asks for.

    python -m tests.benchmarks.paced_server

It prints its port; a prompt "stream 2000 at 100" gets 2,000 tokens at 100 a second, then `THE-END`. When the
last is sent it prints `END` and the machine's monotonic clock in seconds.
"""

import asyncio
import json
import re
import sys
import time

SAMPLE = """## A section

A paragraph of *ordinary* prose with `code`, **strength** and [a link](https://example.com), long enough \
to be wrapped over two or three lines of the screen, as most paragraphs of a reply are.

1. A first item
2. A second one, with a nested list
   - inner
   - inner again

```python
def longest(words: list[str]) -> str:
    return max(words, key=len)  # the first of equals
```

| kind | cost |
|------|-----:|
| one | 1 |
| two | 22 |

"""
STEP = 0.02
"""Seconds between two writes: the tokens that are due go out together, as from a fast server."""
_ASKED = re.compile(r"stream (\d+) at (\d+)")


def tokens() -> list[str]:
    """One sample, in tokens of four characters."""
    return [SAMPLE[at : at + 4] for at in range(0, len(SAMPLE), 4)]


def _chunk(content: str | None, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**body, "choices": [choice], **more}).encode() + b"\n\n"


async def _stream(writer: asyncio.StreamWriter, count: int, pace: int) -> None:
    pieces, sent, began = tokens(), 0, time.monotonic()
    while sent < count:
        due = min(count, int((time.monotonic() - began) * pace) + 1)
        writer.writelines(_chunk(pieces[number % len(pieces)]) for number in range(sent, due))
        sent = due
        await writer.drain()
        await asyncio.sleep(STEP)
    usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": count + 10}
    writer.write(_chunk("\n\n```\n```\n\nTHE-END\n") + _chunk(None, "stop"))
    writer.write(_chunk(None, usage=usage, choices=[]) + b"data: [DONE]\n\n")
    await writer.drain()
    sys.stdout.write(f"END {time.monotonic()}\n")
    sys.stdout.flush()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = re.search(r"content-length: (\d+)", head)
    body = (await reader.readexactly(int(length[1]))).decode() if length else ""
    if asked := _ASKED.findall(body):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await _stream(writer, *map(int, asked[-1]))
    else:
        models = json.dumps({"object": "list", "data": [{"id": "bench", "object": "model"}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(models) + models)
    await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, limit=1 << 24)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
