"""What a file is, told by its content alone, and how large its picture or how long its PDF is."""

import random

import pytest

from tests.support.files import gif, jpeg, pdf, png, webp
from tui.core.chat import AttachmentKind
from tui.providers.media import image_size, pdf_pages, read_text, sniff


@pytest.mark.parametrize(
    ("data", "kind", "media_type"),
    [
        (png(), AttachmentKind.IMAGE, "image/png"),
        (jpeg(3, 2), AttachmentKind.IMAGE, "image/jpeg"),
        (gif(3, 2), AttachmentKind.IMAGE, "image/gif"),
        (webp(3, 2), AttachmentKind.IMAGE, "image/webp"),
        (pdf(1), AttachmentKind.PDF, "application/pdf"),
        (b"junk before\n" + pdf(1), AttachmentKind.PDF, "application/pdf"),
        ("Grüße\t\r\n\x1b[1mbold".encode(), AttachmentKind.TEXT, "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", AttachmentKind.TEXT, "text/plain"),
    ],
)
def test_the_content_tells_what_it_is(data: bytes, kind: AttachmentKind, media_type: str) -> None:
    assert sniff(data) == (kind, media_type)


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04" + bytes(20), b"\x7fELF\x02", "Grüße".encode("latin-1"), "Hi".encode("utf-16"), b"a\0b"],
    ids=["zip", "program", "latin-1", "utf-16", "nul"],
)
def test_what_is_neither_text_nor_picture_nor_pdf_is_nothing(data: bytes) -> None:
    assert sniff(data) is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_text("\ufeffHello".encode()) == "Hello"


@pytest.mark.parametrize(
    "data",
    [
        png(640, 480),
        jpeg(640, 480),
        gif(640, 480),
        *(webp(640, 480, form) for form in (b"VP8X", b"VP8L", b"VP8 ")),
    ],
)
def test_pixels_are_read_from_the_header(data: bytes) -> None:
    assert image_size(data) == (640, 480)


def test_a_broken_header_has_no_size_and_raises_nothing() -> None:
    noise = random.Random(7)
    for whole in (png(9, 9), jpeg(9, 9), gif(9, 9), webp(9, 9)):
        for end in range(len(whole)):
            image_size(whole[:end])
        for _ in range(200):
            spoilt = bytearray(whole)
            spoilt[noise.randrange(len(spoilt))] = noise.randrange(256)
            image_size(bytes(spoilt))
    assert image_size(b"\xff\xd8\xff\xe0\x00\x00" * 3) is None
    assert image_size(png(0, 5)) is None


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("pages", [1, 12])
def test_pages_are_counted_in_either_form_of_a_page_tree(pages: int, compressed: bool) -> None:
    assert pdf_pages(pdf(pages, compressed=compressed)) == pages


def test_the_pages_of_a_pdf_that_hides_them_are_guessed_from_its_size() -> None:
    assert pdf_pages(b"%PDF-1.7\n" + bytes(500_000)) == 10
