"""Pictures and PDFs as they reach a provider: the exact JSON of each SDK."""

import base64

import pytest

from tests.peers.gemini_double import GeminiDouble
from tests.peers.wire import Wire, sse
from tests.support.files import pdf, png
from tests.unit.providers.replies import ask
from tui.core.chat import AttachedData, AttachmentKind, ChatMessage, ChatRequest, Role
from tui.providers.google import GoogleProvider
from tui.providers.google_legacy import GoogleLegacyProvider
from tui.providers.openai import OpenAIProvider
from tui.providers.openai_request import parameters

pytestmark = pytest.mark.peers

PICTURE = AttachedData("cat.png", AttachmentKind.IMAGE, "image/png", png(640, 480))
PAPER = AttachedData("paper.pdf", AttachmentKind.PDF, "application/pdf", pdf(2))
PICTURE_64 = base64.b64encode(PICTURE.data).decode()
PAPER_64 = base64.b64encode(PAPER.data).decode()
PARTS = [
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE_64}"}},
    {
        "type": "file",
        "file": {"filename": "paper.pdf", "file_data": f"data:application/pdf;base64,{PAPER_64}"},
    },
    {"type": "text", "text": "What are these?"},
]


TALK = (
    ChatMessage(Role.SYSTEM, "Be brief."),
    ChatMessage(Role.USER, "What are these?", (PICTURE, PAPER)),
    ChatMessage(Role.ASSISTANT, "A cat and a paper."),
    ChatMessage(Role.USER, "", (PICTURE,)),
)


async def test_an_openai_server_gets_data_urls_before_the_text(wire: Wire) -> None:
    wire.script(
        sse({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}, "[DONE]")
    )
    peer = OpenAIProvider(api_key="sk-test-0123456789abcdef", base_url=wire.openai_url, name="Peer")
    await ask(peer, TALK, model="gpt-4o")
    await peer.aclose()

    assert wire.requests[0].json()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": PARTS},
        {"role": "assistant", "content": "A cat and a paper."},
        {"role": "user", "content": PARTS[:1]},
    ]


def test_openai_itself_is_told_the_detail_that_was_estimated() -> None:
    sent = parameters(ChatRequest("gpt-6-sol", TALK, max_output=99), official=True)
    image = sent["messages"][1]["content"][0]["image_url"]
    assert image == {"url": f"data:image/png;base64,{PICTURE_64}", "detail": "high"}


@pytest.mark.parametrize(
    ("sdk", "type_name"), [(GoogleProvider, "mime_type"), (GoogleLegacyProvider, "mimeType")]
)
async def test_gemini_gets_inline_data_before_the_text(
    sdk: type[GoogleProvider] | type[GoogleLegacyProvider], type_name: str
) -> None:
    """Both names are fields of the same message to a server of Google's; each SDK writes its own."""
    with GeminiDouble() as gemini:
        peer = sdk(api_key="AIzaTest-0123456789abcdef", base_url=gemini.gemini_url, name="Google")
        await ask(peer, TALK, model="gemini-2.5-flash")
        await peer.aclose()
        [sent] = gemini.wire.requests

    picture, paper = ({type_name: one.media_type, "data": one.data} for one in (PICTURE, PAPER))
    assert [(one["role"], [_part(part) for part in one["parts"]]) for one in sent.json()["contents"]] == [
        ("user", [picture, paper, {"text": "What are these?"}]),
        ("model", [{"text": "A cat and a paper."}]),
        ("user", [picture]),
    ]


def _part(part: dict[str, object]) -> dict[str, object]:
    """A part with its data decoded: one SDK writes base64 as URLs have it, the other as mail has it."""
    inline = part.get("inlineData")
    if not isinstance(inline, dict):
        return part
    assert set(part) == {"inlineData"}
    encoded = str(inline["data"]).replace("-", "+").replace("_", "/")
    return {**inline, "data": base64.b64decode(encoded)}
