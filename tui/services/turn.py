"""One turn, from the prompt on disk to the settled reply. It runs as a task that belongs to the service."""

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import replace
from itertools import count

from tui.core.chat import (
    ChatRequest,
    FinishReason,
    Message,
    MessageStatus,
    ReasoningDelta,
    Role,
    TextDelta,
    new_id,
)
from tui.core.errors import (
    CtroomError,
    InvalidValueError,
    NoUsableKeyError,
    ProviderError,
    ProviderErrorKind,
    QuotaRefusedError,
)
from tui.core.frozen import frozen
from tui.core.ports import Provider
from tui.core.settings import provider_name
from tui.core.text import redact, sanitize, sanitize_line
from tui.core.turns import PromptSaved, ReplyEnded, ReplyStarted, Retrying, TurnEvent
from tui.services.accounting import AdmissionRequest, Hold
from tui.services.branches import active_branch, overlay
from tui.services.charges import Charges
from tui.services.checkpoints import Checkpoints
from tui.services.history import Plan, token_kind
from tui.services.keys import Credential
from tui.services.meter import Meter
from tui.services.openings import Opening, with_prompt, with_reply
from tui.services.options import EffectiveOptions
from tui.services.retry import wait_before_retry
from tui.services.stops import Stop, StoppedError
from tui.services.turn_services import Order, TurnServices

_BREATH = 16
"""Events after which other tasks get their turn: a reply that came whole must not freeze the screen."""
_ERROR_LENGTH = 500

_log = logging.getLogger(__name__)


@frozen
class _Outcome:
    status: MessageStatus
    error: CtroomError | None = None
    finish: FinishReason | None = None


class Turn:
    """One turn.

    Args:
        services: What it works with.
        order: What is asked for.
    """

    def __init__(self, services: TurnServices, order: Order) -> None:
        self._services = services
        self._order = order
        self._stop = Stop()
        self._charges = Charges(services.accounting, services.outbox)
        self._prompt = Message(
            new_id(),
            Role.USER,
            sanitize(order.text),
            services.clock(),
            turn_id=new_id(),
            attachments=order.attachments,
        )
        self._reply = Message(
            new_id(),
            Role.ASSISTANT,
            "",
            self._prompt.created_at,
            parent_id=self._prompt.id,
            turn_id=self._prompt.turn_id,
            status=MessageStatus.STREAMING,
        )
        self._opening: Opening | None = None
        self._to_save = False
        """Whether the reply belongs on disk, however it ends."""
        self._options: EffectiveOptions | None = None
        self._secrets: tuple[str, ...] = ()
        self._started_at: float | None = None
        self._last_delta_at: float | None = None
        self.events: asyncio.Queue[TurnEvent] = asyncio.Queue()
        """What happened, for whoever watches. `ReplyEnded` is always the last."""

    def stop(self) -> None:
        """End the reply where it is; what had come is kept and charged."""
        self._stop.wish()

    async def run(self) -> None:
        """Do all of it. Raises nothing but the cancellation of its own task, which stops the turn."""
        try:
            outcome = await self._converse()
        except StoppedError:
            outcome = _Outcome(MessageStatus.STOPPED)
        except CtroomError as error:
            outcome = _Outcome(MessageStatus.FAILED, error)
        except asyncio.CancelledError:
            await asyncio.shield(self._services.track(self._end(_Outcome(MessageStatus.STOPPED))))
            raise
        except Exception as error:  # noqa: BLE001  # whatever happens, the turn is settled
            # Neither text nor traceback: they may hold the prompt or a key.
            _log.error("A turn failed with %s.", type(error).__name__)
            outcome = _Outcome(MessageStatus.FAILED, _unexpected(error))
        await asyncio.shield(self._services.track(self._end(outcome)))

    async def _converse(self) -> _Outcome:
        await self._begin()
        services, provider = self._services, self._reply.provider or ""
        if not self._reply.model:
            self._reply = replace(self._reply, model=await self._stop.unless(self._first_model(provider)))
        model = self._reply.model or ""
        credential = await self._stop.unless(services.keys.credential(provider))
        self._secrets = (credential.key,) if credential.key else ()
        plan = await self._stop.unless(self._plan(provider, model))
        async with services.connections.use(provider, credential) as client:
            return await self._attempts(client, credential, plan)

    async def _begin(self) -> None:
        services, order = self._services, self._order
        conversation = await services.library.find(order.conversation_id)
        if order.reply_to is None and not self._prompt.text.strip() and not order.attachments:
            raise InvalidValueError("There is nothing to send: type a prompt first.")
        provider = order.provider or conversation.provider or services.models.default_provider()
        same = provider == conversation.provider
        model = order.model or (conversation.model if same else None) or services.models.default(provider)
        self._reply = replace(self._reply, provider=provider, model=model)
        known = await services.library.open(order.conversation_id)
        messages = overlay(known.all_messages, services.outbox.messages(order.conversation_id))
        if order.reply_to is not None:
            self._open(with_reply(order, messages, self._reply))
            self._emit(PromptSaved(self._prompt))
            return
        conversation = known.conversation
        active = active_branch(messages, conversation.head_id, conversation.updated_at)
        self._open(with_prompt(order, messages, active, self._prompt, self._reply))
        self._to_save = True
        saved = await services.outbox.save(order.conversation_id, self._prompt)
        self._emit(PromptSaved(self._prompt, saved))

    def _open(self, opening: Opening) -> None:
        self._opening, self._prompt, self._reply = opening, opening.prompt, opening.reply

    async def _first_model(self, provider: str) -> str:
        """The model of an endpoint that was given none: the first that it lists."""
        await self._services.models.list(provider)
        if model := self._services.models.default(provider):
            return model
        problem = self._services.models.problem(provider)
        raise InvalidValueError(problem or f"Choose a model of {provider_name(provider)} first.")

    async def _plan(self, provider: str, model: str) -> Plan:
        services = self._services
        asked = self._opening.asked if self._opening else ()
        self._options = services.effective_options(self._order.conversation_id, provider, model)
        plan = await asyncio.to_thread(
            services.planner.plan_exactly,
            asked,
            self._options.system_prompt,
            provider,
            model,
            services.limits(provider, model, self._options.max_output),
        )
        if self._order.carry_on and plan.sent_from == asked[-1].id:
            raise InvalidValueError("The reply no longer fits what may be sent: ask for it anew instead.")
        return plan

    async def _attempts(self, client: Provider, credential: Credential, plan: Plan) -> _Outcome:
        services, reply = self._services, self._reply
        provider, model = reply.provider or "", reply.model or ""
        context = services.models.info(provider, model).context
        for number in count(1):
            if self._stop.wished:
                raise StoppedError
            hold = await services.accounting.admit(
                AdmissionRequest(
                    turn_id=reply.turn_id or "",
                    provider=provider,
                    model=model,
                    key_source=credential.source,
                    input_estimate=plan.input_estimate,
                    wanted_output=plan.wanted_output,
                    conversation_id=self._order.conversation_id,
                    reply_id=reply.id,
                )
            )
            meter = Meter(token_kind(provider), model, plan.messages, plan.input_estimate, context)
            self._charges.open(hold.attempt_id, meter)
            if number == 1:
                self._reply = replace(reply, created_at=services.clock())
                await self._branch_off()
                fits = plan.fits if services.accounting.tells_room(provider) else None
                self._emit(ReplyStarted(self._reply, plan.sent_from, fits))
            failure = await self._stream(client, hold, plan, meter)
            if failure is None:
                return self._finished(meter, hold)
            wait = None if meter.started else wait_before_retry(number, failure)
            if wait is None:
                return _Outcome(MessageStatus.FAILED, failure)
            await self._charges.close(failure)
            self._emit(Retrying(self._sentence(failure), wait, number + 1, failure.kind))
            await self._stop.unless(services.pause(wait))
        raise AssertionError("The last attempt is not retried.")

    async def _branch_off(self) -> None:
        """Put a reply that stands beside another at the head before it streams: a kill then leaves both."""
        if not self._to_save:
            await self._services.library.branch_off(self._order.conversation_id, self._reply)
            self._to_save = True

    async def _stream(self, client: Provider, hold: Hold, plan: Plan, meter: Meter) -> ProviderError | None:
        """Stream one attempt; how it failed, or None where the reply is whole."""
        request = ChatRequest(
            model=self._reply.model or "",
            messages=plan.messages,
            max_output=hold.max_output,
            temperature=self._options.temperature if self._options else None,
            reasoning_effort=self._options.reasoning_effort if self._options else None,
        )
        checkpoints = Checkpoints(
            self._services.accounting,
            lambda: self._services.library.save_partial(self._order.conversation_id, self._partial(meter)),
            self._emit,
            self._services.checkpoint_seconds,
        )
        async with checkpoints.of(hold.attempt_id, meter):
            try:
                await self._stop.unless(self._consume(client, request, meter, checkpoints))
            except ProviderError as error:
                return None if meter.finish else error
        if meter.finish is None:
            name = provider_name(self._reply.provider or "")
            return ProviderError(
                ProviderErrorKind.INCOMPLETE,
                f"{name} ended the reply before it was whole: what had come is kept; send the prompt again.",
                accepted=True,
            )
        return None

    async def _consume(
        self, client: Provider, request: ChatRequest, meter: Meter, checkpoints: Checkpoints
    ) -> None:
        loop = asyncio.get_running_loop()
        self._charges.sent()
        self._started_at = loop.time()
        async with aclosing(client.stream(request)) as stream:
            number = 0
            async for event in stream:
                if isinstance(event, TextDelta | ReasoningDelta):
                    event = replace(event, text=sanitize(event.text))
                    self._last_delta_at = loop.time()
                    self._emit(event)
                meter.take(event)
                checkpoints.note()
                number += 1
                if number % _BREATH == 0:
                    await asyncio.sleep(0)

    def _finished(self, meter: Meter, hold: Hold) -> _Outcome:
        if not meter.text.strip() and meter.finish in (FinishReason.LENGTH, FinishReason.FILTERED):
            name = provider_name(self._reply.provider or "")
            said = (
                f"The reply used up its {hold.max_output:,} output tokens before its first word: raise the "
                "most output tokens in Settings, or ask for less."
                if meter.finish is FinishReason.LENGTH
                else f"{name} withheld the reply: its content filter stopped it. Word the prompt differently."
            )
            kind = (
                ProviderErrorKind.INCOMPLETE
                if meter.finish is FinishReason.LENGTH
                else ProviderErrorKind.BLOCKED
            )
            return _Outcome(MessageStatus.FAILED, ProviderError(kind, said, accepted=True), meter.finish)
        return _Outcome(MessageStatus.COMPLETE, finish=meter.finish)

    async def _end(self, outcome: _Outcome) -> None:
        """Save the reply, then charge the attempt, then say so; in that order (design, section 4)."""
        saved, charged = False, self._charges.charged
        reply = replace(self._reply, status=outcome.status)
        try:
            meter = self._charges.meter
            spent = await self._charges.measure(outcome.error)
            reply = replace(
                reply,
                text=reply.text + (meter.text if meter else ""),
                reasoning=_joined(reply.reasoning, meter.reasoning if meter else ""),
                usage=spent.usage if spent else None,
                provenance=spent.provenance if spent else None,
                suspicious=bool(spent and spent.suspicious),
                error=self._sentence(outcome.error) if outcome.error else None,
                seconds=self._seconds(),
                finish=outcome.finish,
            )
            if self._order.fresh and meter is None:
                await self._discard()
            elif self._to_save:
                saved = await self._services.outbox.save(self._order.conversation_id, reply)
            charged = await self._charges.close(outcome.error)
        finally:
            refusal = outcome.error.reason if isinstance(outcome.error, QuotaRefusedError) else None
            no_key = isinstance(outcome.error, NoUsableKeyError)
            failure = outcome.error.kind if isinstance(outcome.error, ProviderError) else None
            self._emit(ReplyEnded(reply, charged, saved, refusal, no_key, outcome.finish, failure))

    async def _discard(self) -> None:
        """Remove a conversation that was made for a turn which was not admitted."""
        with suppress(CtroomError):  # what can't be removed from a full disk is listed, and can be deleted
            await self._services.library.discard(self._order.conversation_id)

    def _partial(self, meter: Meter) -> Message:
        reply = self._reply
        return replace(
            reply, text=reply.text + meter.text, reasoning=_joined(reply.reasoning, meter.reasoning)
        )

    def _seconds(self) -> float | None:
        if self._started_at is None or self._last_delta_at is None:
            return None
        return max(0.0, self._last_delta_at - self._started_at)

    def _sentence(self, error: CtroomError) -> str:
        return redact(sanitize_line(str(error), _ERROR_LENGTH), self._secrets)

    def _emit(self, event: TurnEvent) -> None:
        self.events.put_nowait(event)


def _joined(before: str, after: str) -> str:
    """The reasoning of a reply that is continued, and that of its continuation."""
    return "\n\n".join(filter(None, (before, after)))


def _unexpected(error: Exception) -> CtroomError:
    return CtroomError(f"The turn failed unexpectedly ({type(error).__name__}): send the prompt again.")
