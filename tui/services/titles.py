"""Titles that a model is asked for: each a small turn of its own, admitted and charged like any other."""

import asyncio
import logging
from contextlib import aclosing, suppress

from tui.core.chat import (
    REASONING_EFFORTS,
    ChatMessage,
    ChatRequest,
    FinishReason,
    Message,
    MessageStatus,
    Role,
    new_id,
)
from tui.core.errors import CtroomError
from tui.core.ports import Provider
from tui.core.settings import TitleSource
from tui.core.text import sanitize_line
from tui.providers import tokens
from tui.services.accounting import AdmissionRequest
from tui.services.charges import Charges
from tui.services.library import OpenConversation
from tui.services.meter import Meter
from tui.services.sending import token_kind
from tui.services.stops import Stop, StoppedError
from tui.services.turn_services import TurnServices

MOST_WORDS = 6
"""Words of a title; what a model says beyond them is cut."""
QUOTED = 1_500
"""Characters of the prompt and of the reply that a model is shown, each."""
TITLE_TOKENS = 64
"""Tokens of output for a title, of a model that can be told not to think."""
THINKING_TOKENS = 512
"""Tokens of output for a title, of a model that thinks before it, or of which nothing is known."""
SECONDS = 30.0
"""How long a title may take; the lease of its attempt lasts longer."""

_INSTRUCTION = (
    f"Give the conversation that you are shown a title of at most {MOST_WORDS} words, in its own language. "
    "Answer with the title alone, without quotation marks and without a full stop."
)
_MARKS = " \t\"'`*_#“”„«»‘’.:"
"""What models put around a title all the same."""

_log = logging.getLogger(__name__)


class TitleTurn:
    """Asks the model that gave the first reply of a conversation for its title.

    It does nothing unless the user chose such titles, gave none, and one whole reply is there. A title that
    is refused, fails or is stopped leaves the automatic one, without a word; what it cost is charged.

    Args:
        services: What it works with.
        conversation_id: The conversation.
    """

    def __init__(self, services: TurnServices, conversation_id: str) -> None:
        self._services = services
        self._conversation_id = conversation_id
        self._stop = Stop()
        self._charges = Charges(services.accounting, services.outbox)

    def stop(self) -> None:
        """Do without the title."""
        self._stop.wish()

    async def run(self) -> None:
        """Do all of it. Raises nothing but the cancellation of its own task."""
        failure: CtroomError | None = None
        try:
            async with asyncio.timeout(SECONDS):
                await self._ask()
        except (StoppedError, TimeoutError):
            pass
        except CtroomError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # whatever happens, the attempt is settled
            # Neither text nor traceback: they may hold the prompt or a key.
            _log.error("A title failed with %s.", type(error).__name__)
        finally:
            await asyncio.shield(self._services.track(self._close(failure)))

    async def _ask(self) -> None:
        services = self._services
        if services.settings.user().titles is not TitleSource.MODEL:
            return
        opened = await services.library.open(self._conversation_id)
        reply = untitled_reply(opened)
        if reply is None or not reply.provider or not reply.model:
            return
        credential = await self._stop.unless(services.keys.credential(reply.provider))
        async with services.connections.use(reply.provider, credential) as client:
            request = self._request(opened, reply)
            estimate = await asyncio.to_thread(
                tokens.estimate_input, request.messages, reply.model, token_kind(reply.provider)
            )
            hold = await services.accounting.admit(
                AdmissionRequest(
                    turn_id=new_id(),
                    provider=reply.provider,
                    model=reply.model,
                    key_source=credential.source,
                    input_estimate=estimate,
                    wanted_output=request.max_output,
                    conversation_id=self._conversation_id,
                )
            )
            context = services.models.info(reply.provider, reply.model).context
            meter = Meter(token_kind(reply.provider), reply.model, request.messages, estimate, context)
            self._charges.open(hold.attempt_id, meter)
            if hold.max_output < request.max_output:
                return  # what little is left is for prompts
            await self._stop.unless(self._consume(client, request, meter))
        if meter.finish is FinishReason.STOP and (title := title_from(meter.text)):
            await services.library.give_title(self._conversation_id, title)

    def _request(self, opened: OpenConversation, reply: Message) -> ChatRequest:
        efforts = self._services.models.efforts(reply.provider or "", reply.model or "")
        known = efforts != REASONING_EFFORTS
        thinks = bool(efforts) and not (known and efforts[0] == "none")
        return ChatRequest(
            model=reply.model or "",
            messages=title_messages(opened, reply),
            max_output=THINKING_TOKENS if thinks else TITLE_TOKENS,
            reasoning_effort=efforts[0] if efforts and known else None,
        )

    async def _consume(self, client: Provider, request: ChatRequest, meter: Meter) -> None:
        self._charges.sent()
        async with aclosing(client.stream(request)) as stream:
            async for event in stream:
                meter.take(event)

    async def _close(self, failure: CtroomError | None) -> None:
        with suppress(CtroomError):  # recovery charges what can't be charged now
            await self._charges.close(failure)


def untitled_reply(opened: OpenConversation) -> Message | None:
    """The reply of a conversation that a title is to be asked for; None where none is.

    That is its first whole reply, so that a title is asked for once. The demo, which knows only its own
    texts, is not asked.
    """
    whole = [
        message
        for message in opened.all_messages
        if message.role is Role.ASSISTANT and message.status is MessageStatus.COMPLETE
    ]
    if opened.conversation.titled_by_user or len(whole) != 1 or whole[0].provider == "demo":
        return None
    return whole[0]


def title_messages(opened: OpenConversation, reply: Message) -> tuple[ChatMessage, ...]:
    """What a model is shown of a conversation: the beginnings of the prompt and of its reply, quoted."""
    prompt = next((one for one in opened.all_messages if one.id == reply.parent_id), None)
    names = " ".join(one.name for one in prompt.attachments) if prompt else ""
    asked = (prompt.text.strip() if prompt else "") or names
    quoted = (
        f"<prompt>\n{asked[:QUOTED]}\n</prompt>\n\n<reply>\n{reply.text.strip()[:QUOTED]}\n</reply>\n\n"
        "The title of this conversation:"
    )
    return ChatMessage(Role.SYSTEM, _INSTRUCTION), ChatMessage(Role.USER, quoted)


def title_from(answer: str) -> str:
    """A title from what a model said: its first line that says anything, without what stands around it."""
    for line in answer.splitlines():
        words = sanitize_line(line.strip(_MARKS), QUOTED)
        beginning, colon, rest = words.partition(":")
        if colon and beginning.strip(_MARKS).lower() in ("title", "the title"):
            words = rest
        if words := words.strip(_MARKS):
            return " ".join(words.split()[:MOST_WORDS])
    return ""
