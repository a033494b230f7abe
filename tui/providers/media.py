"""What a file is, told by its content: text, a picture or a PDF; how large a picture is, how long a PDF."""

import re
import zlib
from collections.abc import Iterator

from tui.core.chat import AttachmentKind

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
WEBP = "image/webp"
GIF = "image/gif"
TEXT = "text/plain"

_MOST_INFLATED = 8_000_000
"""Bytes that are unpacked to count a PDF's pages: its page tree is small, a bomb is not."""
_BYTES_PER_PAGE = 50_000
"""Of a PDF that does not let its pages be counted; scans, the longest, have 50 to 200 KB each."""
_PDF_HEAD = 1024
"""Bytes in which `%PDF-` may begin (ISO 32000, annex H.3.4.1)."""

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_COUNT = re.compile(
    rb"/Type\s*/Pages\b[^>]{0,200}?/Count\s+(\d{1,6})|/Count\s+(\d{1,6})[^>]{0,200}?/Type\s*/Pages\b"
)
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text file has; ESC is left out, since logs have colours."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG's start-of-frame markers (ITU-T T.81, table B.1)."""


def sniff(data: bytes) -> tuple[AttachmentKind, str] | None:
    """The kind and media type of a file's content; None where it is none that can be attached.

    Args:
        data: The whole content.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return AttachmentKind.IMAGE, PNG
    if data.startswith(b"\xff\xd8\xff"):
        return AttachmentKind.IMAGE, JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return AttachmentKind.IMAGE, GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return AttachmentKind.IMAGE, WEBP
    if b"%PDF-" in data[:_PDF_HEAD]:
        return AttachmentKind.PDF, PDF
    return (AttachmentKind.TEXT, TEXT) if read_text(data) is not None else None


def read_text(data: bytes) -> str | None:
    """The text of a UTF-8 file, a byte order mark left out; None where it is not text."""
    if _CONTROLS.search(data):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture in pixels, from its header; None where that can't be read."""
    try:
        size = _image_size(data)
    except IndexError:
        return None
    return size if size and min(size) > 0 else None


def pdf_pages(data: bytes) -> int:
    """The pages of a PDF; a guess from its size where its page tree can't be read."""
    pages = 0
    counted = 0
    for part in _readable(data):
        pages += len(_PAGE.findall(part))
        counts = (int(first or second) for first, second in _COUNT.findall(part))
        counted = max([counted, *counts])
    return max(pages, counted) or max(1, len(data) // _BYTES_PER_PAGE)


def _image_size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG"):
        return _big(data[16:20]), _big(data[20:24])
    if data.startswith(b"GIF8"):
        return _little(data[6:8]), _little(data[8:10])
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    return _webp_size(data) if data[8:12] == b"WEBP" else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _FRAMES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        else:
            at += 2 + _big(data[at + 2 : at + 4])
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """From the three forms of its first chunk (the WebP container specification)."""
    form = data[12:16]
    if form == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if form == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _readable(data: bytes) -> Iterator[bytes]:
    """The parts of a PDF where its page tree can stand: as it is, and in compressed object streams."""
    yield data
    left = _MOST_INFLATED
    for match in _OBJECT_STREAM.finditer(data):
        if left <= 0:
            return
        try:
            part = zlib.decompressobj().decompress(data[match.end() :], left)
        except zlib.error:
            continue
        left -= len(part)
        yield part


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
