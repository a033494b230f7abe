"""Which models take pictures and PDFs, and what those add to the input, by the providers' own examples."""

import pytest

from tests.support.files import pdf, png
from tui.core.chat import AttachedData, AttachmentKind, ChatMessage, Role
from tui.providers import tokens
from tui.providers.vision import PAGE_TEXT, attached_tokens, image_tokens, refusal

IMAGE, PDF, TEXT = AttachmentKind.IMAGE, AttachmentKind.PDF, AttachmentKind.TEXT


@pytest.mark.parametrize(
    ("model", "width", "height", "count"),
    [
        # Examples of the guide "Images and vision".
        ("gpt-4o", 1024, 1024, 765),
        ("gpt-4o", 2048, 4096, 1105),
        ("gpt-4.1-mini", 1024, 1024, 1659),
        ("gpt-4.1-mini", 1800, 2400, 2353),
        # The same formulas with each model's own figures.
        ("gpt-4o", 100, 100, 255),
        ("gpt-5.1", 1024, 1024, 630),
        ("gpt-5", 1024, 1024, 630),
        ("o3", 1024, 1024, 675),
        ("gpt-5.4-mini", 1024, 1024, 1659),
        ("gpt-6-sol", 1024, 1024, 1229),
        ("gpt-4o-mini", 1024, 1024, 25_501),
        ("openai/gpt-4o", 1024, 1024, 765),
        ("qwen2.5-vl", 280, 280, 100),
        ("qwen2.5-vl", 9000, 9000, 4096),
    ],
)
def test_pictures_for_openai(model: str, width: int, height: int, count: int) -> None:
    assert attached_tokens(_attached(IMAGE, png(width, height)), "openai", model) == count


def test_no_picture_costs_more_than_the_patches_that_a_model_takes() -> None:
    for side in range(32, 9000, 257):
        assert image_tokens("openai", "gpt-6-sol", side, 9000) <= 3000


@pytest.mark.parametrize(
    ("model", "width", "height", "count"),
    [
        ("gemini-2.5-flash", 384, 384, 258),
        ("gemini-2.5-flash", 960, 540, 6 * 258),  # the example of "Image understanding"
        ("gemini-2.5-flash", 3072, 3072, 16 * 258),
        ("gemini-3.5-flash", 3072, 3072, 1120),
        ("gemma-3-27b-it", 3072, 3072, 258),
    ],
)
@pytest.mark.parametrize("kind", ["google", "google-legacy"])
def test_pictures_for_gemini(kind: str, model: str, width: int, height: int, count: int) -> None:
    assert attached_tokens(_attached(IMAGE, png(width, height)), kind, model) == count


@pytest.mark.parametrize(
    ("kind", "model", "page"),
    [
        ("google", "gemini-2.5-flash", 258),
        ("google", "gemini-3.5-flash", 560),
        ("openai", "gpt-4o", 85 + 4 * 170 + PAGE_TEXT),
    ],
)
def test_a_pdf_costs_what_its_pages_do(kind: str, model: str, page: int) -> None:
    assert attached_tokens(_attached(PDF, pdf(7)), kind, model) == 7 * page


def test_the_estimate_of_an_input_has_its_attachments() -> None:
    bare = ChatMessage(Role.USER, "What is it?")
    seeing = ChatMessage(Role.USER, "What is it?", (_attached(IMAGE, png(1024, 1024)),))
    without = tokens.estimate_input((bare,), "gpt-4o", "openai")
    assert tokens.estimate_input((seeing,), "gpt-4o", "openai") == without + 765


@pytest.mark.parametrize(
    ("kind", "model", "attached", "media_type", "official", "said"),
    [
        ("demo", "demo", TEXT, "text/plain", True, ""),
        ("demo", "demo", IMAGE, "image/png", True, "the demo takes no pictures, only text files"),
        ("openai", "gpt-6-sol", PDF, "application/pdf", True, ""),
        ("openai", "gpt-4o", IMAGE, "image/gif", True, ""),
        ("openai", "o3-mini", IMAGE, "image/png", True, "o3-mini takes no pictures"),
        ("openai", "gpt-3.5-turbo", PDF, "application/pdf", True, "gpt-3.5-turbo takes no PDFs"),
        ("openai", "llava", IMAGE, "image/png", False, ""),
        ("openai", "llava", PDF, "application/pdf", False, "endpoints take no PDFs: attach its text"),
        ("google", "gemini-2.5-pro", PDF, "application/pdf", True, ""),
        ("google", "gemini-2.5-pro", IMAGE, "image/gif", True, "Gemini takes no GIFs: convert it to PNG"),
        ("google-legacy", "gemma-3-27b-it", PDF, "application/pdf", True, "gemma-3-27b-it takes no PDFs"),
    ],
)
def test_what_a_model_takes(
    kind: str, model: str, attached: AttachmentKind, media_type: str, official: bool, said: str
) -> None:
    assert refusal(kind, model, attached, media_type, official=official) == said


def _attached(kind: AttachmentKind, data: bytes) -> AttachedData:
    return AttachedData("a", kind, "application/pdf" if kind is PDF else "image/png", data)
