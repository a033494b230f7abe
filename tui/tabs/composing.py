"""The composer's part of the chat tab: drafts, and the options that the next turns are asked with."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from textual import on
from textual.binding import Binding
from textual.timer import Timer
from textual.widgets import TextArea

from tui.core.chat import NOTHING, Asked, Attachment, TurnOptions, joined
from tui.core.errors import CtroomError
from tui.services.services import Services
from tui.tabs.chat_pane import ConversationPane
from tui.tabs.chat_turns import TurnRunner
from tui.widgets.prompt import Prompt
from tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from tui.services.drafts import Drafts

REST_SECONDS = 1.0
"""A draft is kept once the typing rests this long: no key ever waits for it."""
MOST_SECONDS = 5.0
"""Between two saves while the typing does not rest."""


class DraftKeeper:
    """Shows and keeps the draft of the open conversation: each has its own, and a crash loses a second of it.

    What was sent and is on no disk yet, as it waits behind a reply, is kept with the draft; so are all files.

    Args:
        services: The session's services.
        prompt: Where drafts are written.
        waiting: The prompts of a conversation that are on no disk yet, oldest first.
        show_files: Puts the files of a draft in the place of those that the prompt has.
    """

    def __init__(
        self,
        services: Services,
        prompt: Prompt,
        waiting: Callable[[str | None], Iterable[Asked]],
        show_files: Callable[[tuple[Attachment, ...]], None],
    ) -> None:
        self._services = services
        self._prompt = prompt
        self._waiting = waiting
        self._show_files = show_files
        self._left: dict[str | None, Asked] = {}
        """What stood in the prompt of conversations where something waited when another was opened."""
        self._conversation_id: str | None = None
        self._shown = False
        self._timer: Timer | None = None
        self._changed_at = 0.0
        self._dirty_since: float | None = None
        self.problem = ""
        """Why something that is written could not be kept; empty where everything is."""

    @cached_property
    def _drafts(self) -> "Drafts":
        """Made when there is a draft: the first frame does not pay for it."""
        from tui.services.drafts import Drafts

        return Drafts(self._services.store, self._services.user, self._services.clock)

    def show(self, conversation_id: str | None) -> None:
        """Put a conversation's draft into the prompt; what stood there stays the draft of the one before.

        Args:
            conversation_id: None for the conversation that is not made yet.
        """
        if self._shown and conversation_id == self._conversation_id:
            return
        if self._shown:
            self._left[self._conversation_id] = Asked(self._prompt.text, self._prompt.attached)
            self._keep_soon(self._conversation_id)
            if not any(self._waiting(self._conversation_id)):
                del self._left[self._conversation_id]
        self._conversation_id, self._shown = conversation_id, True
        self._dirty_since = None
        draft = self._left.pop(conversation_id, None)
        if draft is None:
            none = not len(self._services.store.view.drafts) and "_drafts" not in self.__dict__
            draft = NOTHING if none else self._drafts.get(conversation_id)
        if draft.text != self._prompt.text:
            self._prompt.show(draft.text)
        self._show_files(draft.attached)

    def moved(self, conversation_id: str) -> None:
        """The conversation that was not made yet got its id: what is written since belongs to it."""
        self._conversation_id = conversation_id
        self._keep_soon(conversation_id)
        self._keep_soon(None, NOTHING)
        self.note()

    def note(self) -> None:
        """The prompt's text is another, or its files are."""
        self._changed_at = monotonic()
        if self._dirty_since is None:
            self._dirty_since = self._changed_at
        if self._timer is None:
            self._timer = self._prompt.set_timer(REST_SECONDS, self._due)

    def waiting_changed(self, conversation_id: str | None) -> None:
        """What waits in a conversation is other than before."""
        self._keep_soon(conversation_id)

    async def flush(self, conversations: Iterable[str | None]) -> None:
        """Keep what is written in the open conversation, and what waits in others, at once."""
        self._dirty_since = None
        self.problem = ""
        if self._shown:
            for each in {self._conversation_id, *conversations}:
                await self._keep(each, self._written(each))

    def _written(self, conversation_id: str | None) -> Asked:
        if conversation_id == self._conversation_id:
            written = [*self._prompt.untaken, Asked(self._prompt.text, self._prompt.attached)]
        else:
            written = [self._left.get(conversation_id, NOTHING)]
        return joined([*self._waiting(conversation_id), *written])

    def _due(self) -> None:
        self._timer = None
        if self._dirty_since is None:
            return
        now = monotonic()
        wait = min(self._changed_at + REST_SECONDS, self._dirty_since + MOST_SECONDS) - now
        if wait > 0:
            self._timer = self._prompt.set_timer(wait, self._due)
            return
        self._dirty_since = None
        self._keep_soon(self._conversation_id)

    def _keep_soon(self, conversation_id: str | None, written: Asked | None = None) -> None:
        written = self._written(conversation_id) if written is None else written
        self._prompt.run_worker(self._keep(conversation_id, written), group="draft", exit_on_error=False)

    async def _keep(self, conversation_id: str | None, written: Asked) -> None:
        """Keep a draft; where that fails, the next rest of the typing tries again."""
        try:
            await self._drafts.keep(conversation_id, written.text, written.attached)
        except CtroomError as error:
            if written.text.strip() or written.attached:
                self.problem = str(error)


class Composing(TurnRunner):
    """The part of the chat tab that keeps drafts and options.

    Args:
        services: The session's services.
        pane: Shows the open conversation.
    """

    BINDINGS = [
        Binding(
            "f12",
            "options",
            "options",
            show=False,
            id="chat.options",
            tooltip="Persona, system prompt, temperature, length and reasoning of this conversation",
        ),
    ]

    def __init__(self, services: Services, pane: ConversationPane) -> None:
        super().__init__(services, pane)
        self.drafts = DraftKeeper(services, pane.prompt, self.waiting, self.show_files)
        self.new_options = TurnOptions()
        """Those of a conversation that is not made yet."""

    async def on_unmount(self) -> None:
        """Keep what is being written."""
        await self.drafts.flush(self.busy)

    def show_files(self, attached: tuple[Attachment, ...]) -> None:
        """Put files in the place of those that the prompt has; for the subclass."""
        raise NotImplementedError

    def aim(self, provider: str, model: str) -> None:
        """Send the next prompt there; for the subclass."""
        raise NotImplementedError

    @property
    def options(self) -> TurnOptions:
        """How the open conversation's turns are asked for, where that differs from the settings."""
        return self.conversation.options if self.conversation else self.new_options

    @on(TitleLine.OptionsClicked)
    def action_options(self) -> None:
        """Choose persona, temperature, length and reasoning of this conversation."""
        from tui.dialogs.options import OptionsDialog

        services, target = self.services, self.target
        dialog = OptionsDialog(
            self.options,
            services.settings.user(),
            services.personas.list(),
            services.models.efforts(target.provider, target.model),
        )
        self.app.push_screen(dialog, self._options_chosen)

    def _options_chosen(self, options: TurnOptions | None) -> None:
        if options is None or options == self.options:
            return
        if self.conversation is None:
            self.new_options = options
        else:
            self.run_worker(self._save_options(self.conversation.id, options), exit_on_error=False)
            self.conversation = replace(self.conversation, options=options)
        self.aim(self.target.provider, self.target.model)
        if options.persona and options.system_prompt:
            self.run_worker(self._keep_persona(options.persona, options.system_prompt), exit_on_error=False)

    async def _keep_persona(self, name: str, system_prompt: str) -> None:
        """Keep a persona that was named with the options; one that is there already stays as it is."""
        if any(persona.name == name for persona in self.services.personas.list()):
            return
        try:
            await self.services.personas.save(name, system_prompt)
        except CtroomError as error:
            self.notify(str(error), title="Persona not kept", severity="error", markup=False)

    async def _save_options(self, conversation_id: str, options: TurnOptions) -> None:
        try:
            await self.services.library.choose_options(conversation_id, options)
        except CtroomError as error:
            self.notify(str(error), title="Options not changed", severity="error", markup=False)
        else:
            self.pane.follow_usage()

    @on(TextArea.Changed, "#prompt")
    def _draft_changed(self) -> None:
        self.drafts.note()

    @on(Prompt.Submitted)
    def _draft_sent(self) -> None:
        self.drafts.note()

    def moved_on(self, conversation_id: str | None) -> None:
        """Another of a conversation's prompts is on disk, or they belong to another."""
        self.drafts.waiting_changed(conversation_id)
