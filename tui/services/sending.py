"""A message as a provider is sent it: text files become part of its text, pictures and PDFs go beside it."""

from collections.abc import Callable, Sequence

from tui.core.chat import AttachedData, Attachment, AttachmentKind, ChatMessage, Message
from tui.core.settings import BUILT_IN, provider_name
from tui.providers import vision
from tui.providers.media import read_text

MOST_BYTES = 15_000_000
"""Of the pictures and PDFs in a request: as base64 20 MB, the most that Gemini takes inline
(https://ai.google.dev/gemini-api/docs/document-processing); OpenAI takes 50 MB."""

ReadAttachment = Callable[[str], bytes | None]
"""The bytes of a digest; None where they are gone. Slow as the disk."""


def token_kind(provider: str) -> str:
    """The kind of adapter that decides on a provider's tokenizer; endpoints speak OpenAI's."""
    return provider if provider in BUILT_IN else "openai"


def refusal(attachment: Attachment, provider: str, model: str) -> str:
    """Why a model can't be sent a file, as a sentence; empty where it can."""
    why = vision.refusal(
        token_kind(provider), model, attachment.kind, attachment.media_type, official=provider in BUILT_IN
    )
    if not why:
        return ""
    return f"{attachment.name} can't be sent to {provider_name(provider)}: {why}."


def refusals(attachments: Sequence[Attachment], provider: str, model: str) -> str:
    """Why a prompt's files can't be sent together, in one sentence for the first; empty where they can."""
    for attachment in attachments:
        if said := refusal(attachment, provider, model):
            return said
    if carried_bytes(attachments) > MOST_BYTES:
        return (
            f"The pictures and PDFs have {carried_bytes(attachments) / 1e6:.1f} MB together, and one prompt "
            f"takes {MOST_BYTES / 1e6:.0f} MB: take one off, or make them smaller."
        )
    return ""


def carried_bytes(attachments: Sequence[Attachment]) -> int:
    """Bytes that go beside the text."""
    return sum(one.size for one in attachments if one.kind is not AttachmentKind.TEXT)


def as_sent(message: Message, read: ReadAttachment, provider: str, model: str) -> ChatMessage:
    """A message as it is sent; a line stands for each file that is gone or that the model does not take.

    Args:
        message: A prompt or a reply.
        read: Finds the files.
        provider: Whom it is sent to.
        model: The model.
    """
    if not message.attachments:
        return ChatMessage(message.role, message.text)
    texts: list[str] = []
    beside: list[AttachedData] = []
    for attachment in message.attachments:
        data = None if refusal(attachment, provider, model) else read(attachment.digest)
        if data is None:
            texts.append(f"[The attached file {attachment.name} can't be shown to you.]")
        elif attachment.kind is AttachmentKind.TEXT:
            texts.append(text_block(attachment.name, data))
        else:
            beside.append(AttachedData(attachment.name, attachment.kind, attachment.media_type, data))
    words = [message.text] if message.text.strip() else []
    return ChatMessage(message.role, "\n\n".join([*texts, *words]), tuple(beside))


def text_block(name: str, data: bytes) -> str:
    """A text file between two lines that name it."""
    content = read_text(data) or ""
    end = "" if content.endswith("\n") else "\n"
    quoted = name.replace('"', "'")
    return f'<file name="{quoted}">\n{content}{end}</file>'
