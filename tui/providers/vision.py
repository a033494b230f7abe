"""Which models take pictures and PDFs, and what those add to the input.

Sources, read in November 2026: OpenAI's guides "Images and vision" (formats, tiles, patches) and "File
inputs" (a PDF is sent as the text and a picture of each page), https://developers.openai.com/api/docs/guides;
Google's pages "Image understanding", "Document processing" and "Media resolution"
(https://ai.google.dev/gemini-api/docs). Newer models of OpenAI are billed 1.2 tokens a patch, which the guide
does not say of all of them: measured in its community's thread "API AI computer vision pricing".
"""

import math
import re
from collections.abc import Mapping

from tui.core.chat import AttachedData, AttachmentKind
from tui.providers.media import GIF, image_size, pdf_pages

UNKNOWN_SIZE = (1024, 1024)
"""Pixels that a picture is taken to have, where its header can't be read."""
PAGE_SIZE = (1700, 2200)
"""Pixels of a PDF's page as OpenAI is taken to picture it: US Letter at 200 dots per inch."""
PAGE_TEXT = 800
"""Tokens of a full page of text: 500 to 600 words."""

_SEES = re.compile(r"gpt-(?:4o|4\.1|4\.5|4-turbo|[5-9])|chatgpt-4o|o1(?!-mini)|o3(?!-mini)|o4")
_BLIND_GOOGLE = re.compile(r"gemini-1\.0|gemma-(?:2|3-1b|3n)")
_TILES: tuple[tuple[re.Pattern[str], int, int], ...] = (
    (re.compile(r"gpt-4o-mini"), 2833, 5667),
    (re.compile(r"gpt-4o|gpt-4\.5|gpt-4-turbo|chatgpt-4o|gpt-4\.1(?!-)"), 85, 170),
    (re.compile(r"o1|o3"), 75, 150),
    (re.compile(r"gpt-5(?:\.1)?(?:-chat|-\d|$)"), 70, 140),
)
"""Tokens of a picture, and of each of its tiles."""
_PATCHES: tuple[tuple[re.Pattern[str], int, float], ...] = (
    (re.compile(r"gpt-4\.1-nano|gpt-5-nano"), 1536, 2.46),
    (re.compile(r"gpt-4\.1-mini|gpt-5(?:\.\d)?-mini|gpt-5\.\d-nano"), 1536, 1.62),
    (re.compile(r"o4-mini"), 1536, 1.72),
)
"""The most patches of a picture, and tokens of each; all other models have `_PATCHES_OF_OTHERS`."""
_PATCHES_OF_OTHERS = (2500, 1.2)
_GEMINI_3: Mapping[AttachmentKind, int] = {AttachmentKind.IMAGE: 1120, AttachmentKind.PDF: 560}
"""Tokens of a picture and of a PDF's page at the resolution that is the default ("Media resolution")."""
_GEMINI_TILE = 258
_OPEN_MODELS_MOST = 4096
"""The most tokens counted of a picture for models of endpoints, in patches of 28 x 28 as Qwen2.5-VL takes."""


def refusal(kind: str, model: str, attached: AttachmentKind, media_type: str, *, official: bool) -> str:
    """Why a model does not take a file of that type, as the end of a sentence; empty where it does.

    Args:
        kind: The kind of adapter.
        model: The model's id.
        attached: What the file is.
        media_type: Its type.
        official: Whether it is the provider's own service, rather than an endpoint that speaks like it.
    """
    if attached is AttachmentKind.TEXT:
        return ""
    things = "PDFs" if attached is AttachmentKind.PDF else "pictures"
    if kind == "demo":
        return f"the demo takes no {things}, only text files"
    name = _bare(model)
    if kind.startswith("google"):
        if _BLIND_GOOGLE.match(name) or (attached is AttachmentKind.PDF and name.startswith("gemma")):
            return f"{model} takes no {things}"
        return "Gemini takes no GIFs: convert it to PNG" if media_type == GIF else ""
    if not official:
        return "endpoints take no PDFs: attach its text" if attached is AttachmentKind.PDF else ""
    return "" if _SEES.match(name) else f"{model} takes no {things}"


def attached_tokens(attached: AttachedData, kind: str, model: str) -> int:
    """Tokens that a picture or a PDF adds to the input, rather too many than too few. CPU-bound."""
    name = _bare(model)
    if attached.kind is AttachmentKind.PDF:
        return pdf_pages(attached.data) * _page_tokens(kind, name)
    return image_tokens(kind, name, *(image_size(attached.data) or UNKNOWN_SIZE))


def image_tokens(kind: str, model: str, width: int, height: int) -> int:
    """Tokens of a picture.

    Args:
        kind: The kind of adapter.
        model: The model's name, without its maker's.
        width: Pixels.
        height: Pixels.
    """
    if kind.startswith("google"):
        return _gemini_tokens(model, width, height)
    for pattern, base, tile in _TILES:
        if pattern.match(model):
            return base + tile * _tiles(width, height)
    for pattern, most, factor in _PATCHES:
        if pattern.match(model):
            return math.ceil(_patches(width, height, most) * factor)
    if _SEES.match(model):
        most, factor = _PATCHES_OF_OTHERS
        return math.ceil(_patches(width, height, most) * factor)
    return min(_OPEN_MODELS_MOST, math.ceil(width / 28) * math.ceil(height / 28))


def _bare(model: str) -> str:
    """The name without its maker's, which aggregators put before it."""
    return model.removeprefix("ft:").rpartition("/")[2].lower()


def _page_tokens(kind: str, model: str) -> int:
    if kind.startswith("google"):
        return _GEMINI_TILE if model.startswith(("gemini-1", "gemini-2")) else _GEMINI_3[AttachmentKind.PDF]
    return image_tokens(kind, model, *PAGE_SIZE) + PAGE_TEXT


def _gemini_tokens(model: str, width: int, height: int) -> int:
    if not model.startswith(("gemini-1", "gemini-2", "gemma")):
        return _GEMINI_3[AttachmentKind.IMAGE]
    if model.startswith("gemma") or max(width, height) <= 384:
        return _GEMINI_TILE
    side = min(768, max(256, math.floor(min(width, height) / 1.5)))
    return _GEMINI_TILE * math.ceil(width / side) * math.ceil(height / side)


def _tiles(width: int, height: int) -> int:
    """Tiles of 512 pixels, once it is fitted into 2048 x 2048 and its shortest side is 768 at most."""
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    return math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _patches(width: int, height: int, most: int) -> int:
    """Patches of 32 pixels, once it is shrunk to have no more than `most`."""
    patches = math.ceil(width / 32) * math.ceil(height / 32)
    if patches <= most:
        return patches
    scale = math.sqrt(most * 32**2 / (width * height))
    columns, rows = width * scale / 32, height * scale / 32
    scale *= min(math.floor(columns) / columns, math.floor(rows) / rows)
    return math.ceil(width * scale / 32 - 1e-9) * math.ceil(height * scale / 32 - 1e-9)
