"""Small files of each kind that can be attached, made as their formats say."""

import struct
import zlib


def png(width: int = 2, height: int = 1) -> bytes:
    """A black picture."""
    rows = zlib.compress((b"\0" + bytes((width + 7) // 8)) * height)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a picture: a comment, then the frame's header."""
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 4) + b"made"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 8 + 3, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + comment + b"\xff" + frame + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    """The beginning of a picture."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(width: int, height: int, form: bytes = b"VP8X") -> bytes:
    """The beginning of a picture in one of the three forms."""
    if form == b"VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif form == b"VP8L":
        body = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    else:
        body = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
    chunk = form + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def pdf(pages: int, *, compressed: bool = False) -> bytes:
    """A document of empty pages; its page tree compressed as PDF 1.5 may, or as it is."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)
    leaves = [b"<< /Type /Page /Parent 2 0 R >>" for _ in range(pages)]
    if compressed:
        stream = zlib.compress(b"\n".join([tree, *leaves]))
        head = b"9 0 obj\n<< /Type /ObjStm /N 2 /Filter /FlateDecode /Length %d >>\nstream\n" % len(stream)
        return b"%PDF-1.5\n" + head + stream + b"\nendstream\nendobj\n%%EOF\n"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", tree, *leaves]
    numbered = (b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return b"%PDF-1.4\n" + b"".join(numbered) + b"%%EOF\n"
