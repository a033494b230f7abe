"""What the chat tab says: messages as entries of the transcript, forecasts and failures in words."""

from collections.abc import Collection
from datetime import date, datetime, tzinfo

from tui.core.amounts import size_words
from tui.core.chat import Attachment, FinishReason, Message, MessageStatus, Role
from tui.core.errors import RefusalReason
from tui.core.figures import TurnForecast
from tui.core.settings import provider_name
from tui.core.text import sanitize_line
from tui.core.turns import ReplyEnded
from tui.core.usage import Measured, Provenance
from tui.services.branches import can_carry_on
from tui.widgets.transcript.model import Entry, EntryRole

WELCOME = "Ask anything: write below and press Enter."
WELCOME_DEMO = (
    "This is the offline demo: it answers by itself, without any provider.\n"
    "To chat for real, add a key in Settings (F4)."
)
WELCOME_TOKENS = (
    "A token is about four letters, of what you send and of what comes back.\n"
    "The line at the bottom counts them, and F1 explains every key."
)
SENDING = "Sending…"
ALONE = "without earlier messages"
"""Said of a forecast where nothing but the prompt fits."""
REFUSED_KEYS = "F4 add my key · F6 switch provider, or use the demo"
PACED_SECONDS = 0.5
"""Tokens per second are said of replies that took at least so long: less is one packet, and no pace."""
REPLYING = "Replying · Esc stops"
BUSY = "A reply is being written: Esc stops it, then try again."
TRY_AGAIN = "Ctrl+R tries again"


def welcome_words(provider: str, *, first: bool, keyless: bool) -> str:
    """What an empty conversation says in its middle.

    Args:
        provider: Whom the first prompt would go to.
        first: Whether the user has no conversation yet.
        keyless: Whether the user wants to use a key of their own for it, and has given none.
    """
    parts = [WELCOME]
    if provider == "demo":
        parts.append(WELCOME_DEMO)
    elif keyless:
        name = sanitize_line(provider_name(provider), 24)
        parts.append(f"You use your own keys, and {name} has none yet: F4 adds it.")
    if first:
        parts.append(WELCOME_TOKENS)
    return "\n\n".join(parts)


def entry_of(
    message: Message, zone: tzinfo, place: tuple[int, int] | None = None, today: date | None = None
) -> Entry:
    """A message as the transcript shows it.

    Args:
        message: A prompt, or a reply in any state.
        zone: Where its time is shown in.
        place: Where it stands among its versions, from 1, and their number; None for the only one.
        today: The day it is in `zone`: a prompt of another one carries its date; None leaves dates out.
    """
    mine = message.role is Role.USER
    meta = moment_words(message.created_at.astimezone(zone), today) if mine else reply_meta(message)
    return Entry(
        key=message.id,
        role=EntryRole(message.role.value),
        body=message.text,
        title="You" if mine else (message.model or provider_name(message.provider or "")),
        meta=placed(meta, place),
        status=message.status,
        notes=notes_of(message),
        error=message.error or "",
        reasoning=message.reasoning,
        reasoning_tokens=(message.usage.reasoning or None) if message.usage else None,
    )


def moment_words(moment: datetime, today: date | None) -> str:
    """When something was written: "22:13", after the date where that is not today's, as "12 Mar 2023 22:13".

    Args:
        moment: In the reader's zone.
        today: The day it is there; None leaves the date out.
    """
    return f"{moment:%H:%M}" if today in (None, moment.date()) else f"{moment:%d %b %Y %H:%M}"


def notes_of(message: Message, gone: Collection[str] = ()) -> tuple[str, ...]:
    """The lines under a prompt that name what goes with it.

    Args:
        message: The prompt.
        gone: The digests of files that are not there any more.
    """
    return tuple(attached_words(one, gone) for one in message.attachments)


def attached_words(attachment: Attachment, gone: Collection[str] = ()) -> str:
    """A file that goes with a prompt: "attached: notes.txt · 1.2 kB · ~340 tokens".

    Args:
        attachment: The file.
        gone: The digests of files that are not there any more.
    """
    if attachment.digest in gone:
        return f"attached: {attachment.name} · its file is gone, so it is not sent"
    tokens = "" if attachment.tokens is None else f" · ~{attachment.tokens:,} tokens"
    return f"attached: {attachment.name} · {size_words(attachment.size)}{tokens}"


def placed(meta: str, place: tuple[int, int] | None) -> str:
    """What stands at the right of a head line, after the place among versions: "‹ 2/3 › · 14:02"."""
    return " · ".join(filter(None, (f"‹ {place[0]}/{place[1]} ›" if place else "", meta)))


def reply_meta(message: Message) -> str:
    """What a reply took: "41 in · 212 out · 3.1 s · 68/s", with "~" and a reason for estimates."""
    parts = []
    if message.usage is not None and message.provenance is Provenance.ORPHANED:
        parts.append(f"~{message.usage.total:,} tokens, charged after a crash")
    elif message.usage is not None:
        exact = message.provenance is None or message.provenance.exact
        parts.append(_tokens(message.usage.input, message.usage.output, exact=exact))
        if message.suspicious:
            parts.append("the provider's figures were impossible")
    if message.seconds is not None and message.status is not MessageStatus.STREAMING:
        parts.append(f"{message.seconds:.1f} s")
        if message.usage is not None and message.seconds >= PACED_SECONDS and message.usage.output:
            about = "" if message.provenance is None or message.provenance.exact else "~"
            parts.append(f"{about}{message.usage.output / message.seconds:,.0f}/s")
    return " · ".join(parts)


def progress_meta(measured: Measured) -> str:
    """What a streaming reply has taken so far."""
    exact = measured.provenance is Provenance.COUNTED
    return _tokens(measured.usage.input, measured.usage.output, exact=exact)


def model_words(provider: str, model: str) -> str:
    """Provider and model for people: "OpenAI · gpt-5.1"."""
    name = provider_name(provider)
    return name if model in ("", provider) else f"{name} · {model}"


def forecast_words(forecast: TurnForecast, width: int) -> str:
    """What a turn may cost: "about 340 to 1,200 tokens; leaves 7,600 today · Enter", as far as it fits.

    Args:
        forecast: The figures.
        width: Cells for the words.
    """
    cost = f"about {forecast.input:,} to {forecast.most:,} tokens"
    if forecast.refused:
        size = [f"about {forecast.input:,} tokens"] if forecast.input else []
        return _fitting(["would be refused", *size], width)
    leaves = ""
    if forecast.left is not None:
        scope = "today" if forecast.scope == "today" else "in the pool"
        leaves = f"; leaves {max(0, forecast.left):,} {scope}"
    if len(cost + leaves) > width:
        leaves = ""
    return _fitting([cost + leaves, *([ALONE] if forecast.alone else []), "Enter"], width)


def _fitting(parts: list[str], width: int) -> str:
    """The parts, without the last ones where they have no room."""
    while len(parts) > 1 and len(" · ".join(parts)) > width:
        parts = parts[:-1]
    return " · ".join(parts)


def refusal_words(forecast: TurnForecast) -> str:
    """Why a turn would be refused, when it may go again, and the keys of the ways out; empty where it may go.

    Args:
        forecast: The figures.
    """
    if not forecast.refused:
        return ""
    return f"{sanitize_line(forecast.refused, 400)}\n{REFUSED_KEYS}"


def retry_words(reason: str, attempt: int) -> str:
    """The line under a reply that is being asked for again; the wait is counted down over the prompt."""
    return f"{reason.rstrip('.')}. Attempt {attempt} follows."


def ways_out(ended: ReplyEnded) -> str:
    """What can be done where a reply could not be had, as keys; empty where there is nothing to do."""
    if ended.reply.status is MessageStatus.COMPLETE and ended.finish is FinishReason.LENGTH:
        return "The reply reached its most tokens · Ctrl+L continues it"
    if ended.reply.status is not MessageStatus.FAILED:
        return ""
    if ended.refusal is RefusalReason.HELD_BY_OTHERS:
        return TRY_AGAIN
    if ended.refusal or ended.no_key:
        return f"{REFUSED_KEYS} · {TRY_AGAIN}"
    more = " · Ctrl+L continues it" if can_carry_on(ended.reply) else ""
    return f"{TRY_AGAIN}{more} · F6 switch provider · F4 settings"


def _tokens(spent_in: int, spent_out: int, *, exact: bool) -> str:
    about = "" if exact else "~"
    return f"{about}{spent_in:,} in · {about}{spent_out:,} out"
