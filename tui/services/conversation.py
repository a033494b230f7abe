"""Turns: the only place where a prompt becomes a request and a request becomes a reply."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from tui.core.chat import Attachment, Message, MessageStatus, Role, TurnOptions, new_id
from tui.core.errors import CtroomError, StorageError
from tui.core.figures import TurnForecast
from tui.core.ports import Clock, Store
from tui.core.quota import Attempt
from tui.core.settings import GoogleSdk
from tui.core.turns import ReplyEnded, TurnEvent
from tui.services import ledger
from tui.services.accounting import Accounting
from tui.services.branches import path_to
from tui.services.connections import Connections
from tui.services.keys import Connect, Keys
from tui.services.library import Library
from tui.services.models import Models
from tui.services.outbox import Outbox, Pause, Unsaved
from tui.services.settings import SettingsService
from tui.services.turn_services import Order, TurnServices

if TYPE_CHECKING:
    from tui.services.titles import TitleTurn
    from tui.services.turn import Turn

CHECKPOINT_SECONDS = 1.0
"""How much of a reply a killed process may lose (design, section 2)."""
DRAIN_SECONDS = 15.0
"""How long the end of the program waits for turns to settle; recovery charges what is left."""


class Turns:
    """The turns of one user's session; several conversations may have one at a time.

    Args:
        store: Tells which attempts are open.
        settings: The user's limits and system prompt.
        keys: Credentials.
        accounting: Admits and charges.
        models: What is known of models.
        library: The conversations.
        connect: Makes providers.
        clock: The present moment.
        pause: Waits before a retry.
        checkpoint_seconds: Between two checkpoints of a reply.
        shared: Clients that other sessions use too.
    """

    def __init__(
        self,
        store: Store,
        settings: SettingsService,
        keys: Keys,
        accounting: Accounting,
        models: Models,
        library: Library,
        connect: Connect,
        clock: Clock,
        *,
        pause: Pause = asyncio.sleep,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        shared: Connections | None = None,
    ) -> None:
        self._store = store
        self._library = library
        self._clock = clock
        self._outbox = Outbox(library, accounting, pause)
        self._connections = Connections(connect, shared)
        self._make_services = partial(
            TurnServices,
            settings,
            keys,
            accounting,
            models,
            library,
            self._connections,
            self._outbox,
            clock=clock,
            pause=pause,
            checkpoint_seconds=checkpoint_seconds,
            track=self._track,
        )
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running: dict[str, Turn] = {}
        self._unfinished: set[Turn | TitleTurn] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retrying_saves: asyncio.Task[None] | None = None

    @cached_property
    def _services(self) -> TurnServices:
        """Made when it is first needed: the first frame does not pay for what plans a turn."""
        from tui.services.history import Planner
        from tui.services.host_files import may_use_host_files

        mine = may_use_host_files(self._library.user)
        return self._make_services(planner=Planner(self._store.load_attachment) if mine else Planner())

    def send(
        self,
        conversation_id: str,
        text: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        instead_of: str | None = None,
        fresh: bool = False,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Send a prompt, and give the events of its turn; `ReplyEnded` is always the last, whatever fails.

        Closing the generator, or cancelling the task that reads it, stops the reply. What had come is kept,
        and the turn is settled by a task of this service: `drain` awaits it. A prompt to a conversation that
        is being answered waits for its turn. `PromptSaved` is the first event, unless the conversation is
        gone or can't be read.

        Args:
            conversation_id: The conversation.
            text: The prompt.
            provider: Instead of the conversation's.
            model: Instead of the conversation's.
            attachments: The files that go with it.
            instead_of: The id of an earlier prompt that this one stands in place of: it begins a branch
                beside it. None: the prompt follows the active branch.
            fresh: The conversation was made for this prompt: where the turn ends before it is admitted, for
                want of room or of a key for one, it is removed with it.
        """
        files = tuple(attachments)
        return self._take(
            Order(conversation_id, text, provider, model, files, instead_of=instead_of, fresh=fresh)
        )

    def again(
        self, conversation_id: str, message_id: str, *, provider: str | None = None, model: str | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        """Have a reply anew, beside the old one, and give the events of that turn, like `send`.

        `PromptSaved` names the prompt that is answered again. A turn that is refused, or fails before it is
        admitted, leaves the conversation as it is, and its reply is not kept.

        Args:
            conversation_id: The conversation.
            message_id: The reply, or a prompt that has none.
            provider: Instead of the conversation's.
            model: Instead of the conversation's.
        """
        return self._take(Order(conversation_id, "", provider, model, reply_to=message_id))

    def carry_on(self, conversation_id: str, reply_id: str) -> AsyncGenerator[TurnEvent, None]:
        """Continue a reply that was cut off, and give the events of that turn, like `again`.

        The new reply begins with the text of the old one, which is kept beside it; `ReplyStarted` has that
        text, and the deltas follow it. What is charged is this turn's own.

        Args:
            conversation_id: The conversation.
            reply_id: A reply for which `branches.can_carry_on` holds.
        """
        return self._take(Order(conversation_id, reply_to=reply_id, carry_on=True))

    async def _take(self, order: Order) -> AsyncGenerator[TurnEvent, None]:
        from tui.services.turn import Turn

        turn = Turn(self._services, order)
        self._track(self._run(order.conversation_id, turn))
        try:
            while True:
                event = await turn.events.get()
                yield event
                if isinstance(event, ReplyEnded):
                    return
        finally:
            turn.stop()

    async def give_title(self, conversation_id: str) -> None:
        """Ask for a title where the user wants a model's and a first reply has come; else do nothing.

        Raises nothing: whatever fails leaves the automatic title. Cancelled, it is charged for what was sent.

        Args:
            conversation_id: The conversation.
        """
        from tui.services.titles import TitleTurn

        turn = TitleTurn(self._services, conversation_id)
        self._unfinished.add(turn)
        try:
            await asyncio.shield(self._track(turn.run()))
        finally:
            turn.stop()
            self._unfinished.discard(turn)

    async def warm_up(self) -> None:
        """Load the vocabulary of the estimates, and the SDK of the chosen provider, each on a thread.

        Both are loaded at their first use in any case; before it, they cost the user no wait.
        """
        from tui import providers
        from tui.providers import tokens

        provider = self._services.models.default_provider()
        if provider == "demo":
            return
        await asyncio.to_thread(tokens.warm)
        legacy = provider == "google" and self._services.settings.host().google_sdk is GoogleSdk.LEGACY
        await asyncio.to_thread(
            providers.warm, "google-legacy" if legacy else self._services.models.kind(provider)
        )

    def stop(self, conversation_id: str) -> None:
        """Stop the reply that streams in a conversation, if one does; its events go on to `ReplyEnded`."""
        if turn := self._running.get(conversation_id):
            turn.stop()

    def is_running(self, conversation_id: str) -> bool:
        """Whether a turn of that conversation has not ended."""
        return conversation_id in self._running

    async def forecast(
        self,
        conversation_id: str | None,
        provider: str,
        model: str,
        text: str,
        *,
        instead_of: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        options: TurnOptions | None = None,
    ) -> TurnForecast:
        """What sending a prompt would cost at most.

        Args:
            conversation_id: None for a new conversation.
            provider: Whom it would be sent to.
            model: The model.
            text: The prompt as it stands.
            instead_of: The id of an earlier prompt that it would stand in place of.
            attachments: The files that go with it; one that the model does not take refuses it.
            options: Those of a new conversation.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: The conversation can't be read.
        """
        services = self._services
        branch: tuple[Message, ...] = ()
        if conversation_id:
            opened = await services.library.open(conversation_id)
            branch = opened.messages
            if instead_of is not None:
                branch = path_to(opened.all_messages, instead_of)[:-1]
        prompt = Message(new_id(), Role.USER, text, self._clock(), attachments=attachments)
        if attachments and (said := services.planner.refusals(attachments, provider, model)):
            return TurnForecast(0, 0, None, refused=said)
        holding = services.effective_options(conversation_id, provider, model, options)
        plan = await asyncio.to_thread(
            services.planner.plan,
            (*branch, prompt),
            holding.system_prompt,
            provider,
            model,
            services.limits(provider, model, holding.max_output),
        )
        forecast = services.accounting.forecast(provider, plan.input_estimate, plan.wanted_output)
        alone = plan.sent_from == prompt.id
        sent_from = None if alone else plan.sent_from
        fits = plan.fits if services.accounting.tells_room(provider) else None
        return replace(forecast, sent_from=sent_from, alone=alone, fits=fits)

    async def recover(self) -> int:
        """Charge the attempts of processes that died, and mark their replies as interrupted.

        To be called at start and from time to time.

        Returns:
            How many attempts were charged.

        Raises:
            StorageError: The accounts could not be read or changed.
        """
        await self._store.refresh()
        now = self._clock()
        attempts = [attempt for _, attempt in self._store.view.attempts if ledger.expired(attempt, now)]
        swept = await self._services.accounting.sweep()
        for attempt in attempts:
            with suppress(CtroomError):  # one that can't be read says so when it is opened
                await self._mark_interrupted(attempt)
        return swept

    def unsaved(self) -> int:
        """How many messages and charges the store refused, and are kept in memory."""
        return len(self._outbox)

    def waiting(self) -> Unsaved:
        """What the store refused and is kept in memory, and why."""
        return self._outbox.unsaved()

    def subscribe_unsaved(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` whenever `waiting()` may be different.

        Returns:
            A function that ends the subscription.
        """
        return self._outbox.subscribe(changed)

    async def save_pending(self) -> bool:
        """Try to save what the store refused; True if nothing is left. It is tried again anyway."""
        return await self._outbox.flush()

    async def drain(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  # it does not raise
        """Stop every turn, await its charge, and try once more to save what could not be saved.

        Args:
            timeout: Seconds to wait at most. What is not charged by then, recovery charges.
        """
        for turn in tuple(self._unfinished):
            turn.stop()
        deadline = asyncio.get_running_loop().time() + timeout
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        if self._retrying_saves:
            self._retrying_saves.cancel()
        await self._outbox.flush()

    async def aclose(self) -> None:
        """Drain, then close the connections to providers."""
        await self.drain()
        await self._connections.aclose()

    async def _run(self, conversation_id: str, turn: "Turn") -> None:
        lock = self._locks.setdefault(conversation_id, asyncio.Lock())
        self._unfinished.add(turn)
        try:
            async with lock:
                self._running[conversation_id] = turn
                with suppress(StorageError):  # the turn meets it again, and says so
                    await self._store.refresh()  # the prompt follows what another process said last
                await turn.run()
        finally:
            self._unfinished.discard(turn)
            if self._running.get(conversation_id) is turn:
                del self._running[conversation_id]
        if self._outbox and (self._retrying_saves is None or self._retrying_saves.done()):
            self._retrying_saves = asyncio.create_task(self._outbox.keep_trying())

    async def _mark_interrupted(self, attempt: Attempt) -> None:
        """Mark the reply of a charged attempt; one whose process died before the first checkpoint is made."""
        library, conversation_id = self._services.library, attempt.conversation_id
        if conversation_id is None or attempt.reply_id is None:
            return
        opened = await library.open(conversation_id)
        prompt = opened.messages[-1] if opened.messages else None
        if prompt is None or prompt.role is not Role.USER or prompt.turn_id != attempt.turn_id:
            return
        reply = Message(
            attempt.reply_id,
            Role.ASSISTANT,
            "",
            attempt.created_at,
            parent_id=prompt.id,
            turn_id=attempt.turn_id,
            status=MessageStatus.STREAMING,
            provider=attempt.provider,
            model=attempt.model,
        )
        await library.save(conversation_id, reply)
        await library.open(conversation_id)

    def _track(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # Not in the context of whoever asked: timers would keep an app that is gone for as long as they run.
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
