"""Takes impossible counts out of Gemini's responses before an SDK reads them.

Both SDKs refuse a whole chunk for one count of another shape than theirs, and the reply's text with it.
"""

import json
from collections.abc import AsyncIterator

from tui.core.usage import read_count

_FIELD = "usageMetadata"
_COUNTS = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "toolUsePromptTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
)
IMPOSSIBLE = -1
"""Stands for a count that is none: both SDKs take it, and no usage is read from it."""
_DATA = b"data:"


def mended(text: str) -> str:
    """A response in JSON whose counts are numbers; the same text where it needs nothing, or is no JSON."""
    if _FIELD not in text:
        return text
    try:
        response = json.loads(text)
    except ValueError:
        return text
    if not isinstance(response, dict) or _FIELD not in response:
        return text
    usage = response[_FIELD]
    counts = _mended_counts(usage)
    return text if counts == usage else json.dumps({**response, _FIELD: counts})


async def mended_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Server-sent events, each response in them mended; whole lines at a time."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield b"".join(_mended_line(line) + b"\n" for line in lines)
    if rest:
        yield _mended_line(rest)


def _mended_line(line: bytes) -> bytes:
    if not line.startswith(_DATA) or _FIELD.encode() not in line:
        return line
    text = line[len(_DATA) :].strip().decode(errors="replace")
    after = mended(text)
    return line if after == text else _DATA + b" " + after.encode()


def _mended_counts(usage: object) -> object:
    """The counts alone, the impossible ones replaced; absent ones stay absent."""
    if usage is None:
        return None
    if not isinstance(usage, dict):
        return {"promptTokenCount": IMPOSSIBLE}
    return {
        name: count if (count := read_count(value)) is not None else IMPOSSIBLE
        for name in _COUNTS
        if (value := usage.get(name)) is not None
    }
